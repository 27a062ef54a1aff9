import { decay, type GainConfig, weightedTokens } from '../gain';
import type { Program } from '../program';
import type { Future } from '../program-history';
import type { Request } from '../request';
import type { Ramp } from './demand-bound';
import type { Knowledge } from './knowledge';
import { AT_BEST, type Pace } from './pace';

/** What appraising a job needs to know. */
export interface Circumstances {
  now: number;
  pace: Pace;
  gain: GainConfig;
  knowledge: Knowledge;
  justEnough: boolean;
}

/** A stream's prompt takes this share more of GPU time than its arithmetic: the steps that carry it are not full, … */
const CHUNKED = 0.4;
/** … but so many steps more at most, however long it is. */
const CHUNKED_STEPS = 8;
/** Prompt tokens that a step takes on top for a first token people wait for. */
export const RUSH_CHUNK = 128;
/** A prompt of more tokens than this needs a step for every rush chunk, and has to be begun that much earlier. */
const LONG_PROMPT = 1024;
/** Beyond this alpha a late answer is worth nothing, and nobody finishes it for its gain. */
const HARD_ALPHA = 10;
/** How much denser a newcomer has to be to take the place of what has been begun. */
export const COMMITMENT = 1.25;
/**
 * Quantile of a program's futures that is set aside for it. Programs are all or nothing, and their
 * stages wait for one another: one that turns out longer than was thought loses everything, and so
 * the bound earns more than the mean.
 */
const FUTURE_QUANTILE = 0.95;
/**
 * A program's promise is made as if its critical path took so many times as long: its stages have to
 * wait for slots, too.
 */
const MARGIN = 1.5;
/** Less likely to be kept than this: hopeless. */
const HOPELESS = 0.1;

/** A program's futures at one pace. */
interface Outlook {
  futures: readonly Future[];
  tokenMs: number;
  /** By future: how likely, and how long its critical path takes, ms. */
  weights: Float64Array;
  afterMs: Float64Array;
  /** Means over the futures: what is to be earned, and what it takes, ms. */
  promptTokens: number;
  outputTokens: number;
  costMs: number;
  /** Upper bounds over the futures: what has to be set aside, ms. */
  reservedMs: number;
  futureMs: number;
}

/**
 * What is admitted or not, as a whole: a request, or a program with all its calls. Keeps the last
 * appraisal: what it would earn, what it needs, and by when.
 */
export class Job {
  readonly program: Program | undefined;
  /** Live calls; one for a request on its own. */
  readonly calls: Request[] = [];
  readonly app: string;
  /** Order of the first call's arrival. */
  readonly order: number;

  /** A stream whose next token cannot be on time any more: the later it is served, the more are late. */
  late = false;
  /** Gain still to be had, its chances considered. */
  value = 0;
  /** What admission goes by: density, and what was begun before what was not. */
  rank = 0;
  /** GPU time still needed for it, the mean, ms. */
  costMs = 0;
  /** value / costMs */
  density = 0;
  /** Probability that the objective is met if it is served from now on. */
  chance = 1;
  /** When its work has to be done, from `scoredMs` on. */
  readonly ramp: Ramp = { fromMs: 0, toMs: 0, workMs: 0, headMs: 0, headDueMs: 0 };
  /** When the last appraisal was made. */
  scoredMs = Number.NEGATIVE_INFINITY;
  /** Expected output tokens still to come, of all live calls. */
  remainingTokens = 0;

  /** Program: time that the stages after the current one are expected to take, ms. */
  futureMs = 0;

  // Marks of the current plan.
  /** Something of it was computed since the last appraisal. */
  moved = true;
  seenInPlan = -1;
  admitted = false;
  /** Key under which the waiting index holds it; undefined when it does not. */
  indexKey: number | undefined;
  #outlook: Outlook | undefined;

  constructor(request: Request) {
    this.program = request.slo.class === 'program' ? request.program : undefined;
    this.app = request.app;
    this.order = request.order;
  }

  get bestEffort(): boolean {
    return this.program === undefined && this.calls[0]?.class === 'best-effort';
  }

  get hopeless(): boolean {
    return !this.bestEffort && this.chance < HOPELESS;
  }

  /** Whether something was already spent on it, which would be lost with it. */
  get started(): boolean {
    if (this.program !== undefined && this.program.waves.length > 1) return true;
    return this.calls.some((call) => call.computed > 0 || call.generated > 0);
  }

  /** Whether any of its calls holds pages. */
  get resident(): boolean {
    return this.calls.some((call) => call.resident);
  }

  appraise(on: Circumstances): void {
    this.scoredMs = on.now;
    this.moved = false;
    if (this.program !== undefined) this.#appraiseProgram(this.program, on);
    else this.#appraiseRequest(this.calls[0], on);
    this.density = this.value / Math.max(this.costMs, 1e-3);
    this.rank = this.density * (this.started ? COMMITMENT : 1);
  }

  #appraiseRequest(request: Request, on: Circumstances): void {
    switch (request.slo.class) {
      case 'latency':
        this.#appraiseStream(request, request.slo.ttft, request.slo.tbt, on);
        break;
      case 'deadline':
        this.#appraiseDeadline(request, request.slo.ttlt, on);
        break;
      default:
        this.#appraiseBestEffort(request, on);
    }
  }

  #appraiseStream(request: Request, ttft: number, tbt: number, on: Circumstances): void {
    const { now, pace, gain, knowledge } = on;
    const mean = knowledge.mean(request);
    const prefillMs = prefillTime(request, pace);
    const dueMs = request.arrivalMs + ttft + request.generated * tbt;
    const firstMs = now + prefillMs + pace.tokenMs;
    // A stream that is behind catches up by tbt − bestMs a token; what it loses is late.
    let late = 0;
    if (firstMs > dueMs) {
      const gained = tbt - pace.bestMs;
      late = gained > 0 ? Math.ceil((firstMs - dueMs) / gained) : Number.POSITIVE_INFINITY;
    }
    this.late = late > 0;
    const lateTokens = knowledge.meanWithin(request, late);
    const onTime = Math.max(0, mean - lateTokens);
    // Hardly late is hardly lost where the objective is soft.
    const softness =
      late > 0 && gain.alpha < HARD_ALPHA
        ? decay(Math.max(1, dueMs - request.arrivalMs), firstMs - request.arrivalMs, gain.alpha)
        : 0;
    let value = gain.outputWeight * (onTime + softness * lateTokens);
    if (request.generated === 0) {
      value += gain.inputWeight * request.promptTokens * (late > 0 ? softness : 1);
    }
    this.value = value;
    this.remainingTokens = mean;
    const decodeMs = mean * decodeCost(request, mean, pace);
    const prefillCost = pendingPrompt(request) * pace.prefillMs;
    this.costMs = prefillCost + decodeMs;
    const possible =
      gain.outputWeight * mean + (request.generated === 0 ? request.promptTokens : 0);
    this.chance = value / Math.max(1, possible);
    // The prompt, then a token every tbt. A prompt that can be in time, but only if everything else
    // steps aside, is asked for whole by then: no more would fit anyway.
    const headMs = prefillCost + Math.min(CHUNKED * prefillCost, CHUNKED_STEPS * pace.tokenMs);
    const untilFirst = Math.max(0, dueMs - now, late === 0 ? headMs : 0);
    const paceMs = on.justEnough ? Math.max(tbt, pace.tokenMs) : pace.tokenMs;
    this.ramp.fromMs = Math.max(0, untilFirst - prefillMs);
    this.ramp.toMs = untilFirst + Math.max(1, mean) * paceMs;
    this.ramp.workMs = headMs + decodeMs;
    this.ramp.headMs = headMs;
    this.ramp.headDueMs = untilFirst;
  }

  #appraiseDeadline(request: Request, ttlt: number, on: Circumstances): void {
    const { now, pace, gain, knowledge } = on;
    const leftMs = request.arrivalMs + ttlt - now;
    const prefillMs = prefillTime(request, pace);
    const possible = Math.floor((leftMs - prefillMs) / pace.bestMs);
    const chance = possible < 1 ? 0 : knowledge.chance(request, possible);
    const mean = knowledge.mean(request);
    const hard = gain.alpha >= HARD_ALPHA;
    const tokens = hard ? knowledge.meanWithin(request, Math.max(1, possible)) : mean;
    const full = weightedTokens(request, request.generated + tokens, gain);
    const lateMs = ttlt - leftMs + prefillMs + Math.max(mean, possible) * pace.tokenMs;
    this.chance = chance;
    this.value = full * (chance + (1 - chance) * decay(ttlt, Math.max(ttlt, lateMs), gain.alpha));
    this.remainingTokens = mean;
    this.costMs =
      pendingPrompt(request) * pace.prefillMs + tokens * decodeCost(request, tokens, pace);
    this.ramp.toMs = Math.max(0, leftMs);
    this.ramp.fromMs = Math.max(0, leftMs - prefillMs - tokens * pace.tokenMs);
    this.ramp.workMs = this.costMs;
  }

  #appraiseBestEffort(request: Request, { pace, gain, knowledge }: Circumstances): void {
    const mean = knowledge.mean(request);
    this.chance = 1;
    this.remainingTokens = mean;
    this.value =
      gain.bestEffortWeight *
      (gain.outputWeight * mean +
        (request.generated === 0 ? gain.inputWeight * request.promptTokens : 0));
    this.costMs = pendingPrompt(request) * pace.prefillMs + mean * decodeCost(request, mean, pace);
    this.ramp.fromMs = Number.POSITIVE_INFINITY;
    this.ramp.toMs = Number.POSITIVE_INFINITY;
    this.ramp.workMs = 0;
  }

  #appraiseProgram(program: Program, on: Circumstances): void {
    const { now, pace, gain, knowledge } = on;
    const futures = knowledge.futures(program);
    let stageMs = 0;
    let liveTokens = 0;
    let costMs = 0;
    let weight = 0;
    for (const call of program.calls) {
      if (call.ended) {
        if (call.end?.kind === 'finished') weight += weightedTokens(call, call.generated, gain);
        continue;
      }
      const mean = knowledge.mean(call);
      liveTokens += mean;
      costMs += pendingPrompt(call) * pace.prefillMs + mean * decodeCost(call, mean, pace);
      weight += weightedTokens(call, call.generated + mean, gain);
      stageMs = Math.max(stageMs, prefillTime(call, pace) + mean * pace.tokenMs);
    }
    const leftMs = program.deadlineMs - now;
    const outlook = this.#outlookOf(futures, pace);
    weight += gain.inputWeight * outlook.promptTokens + gain.outputWeight * outlook.outputTokens;
    const reservedMs = costMs + outlook.reservedMs;
    costMs += outlook.costMs;
    const { futureMs } = outlook;
    let chance = 0;
    for (let i = 0; i < outlook.weights.length; i++) {
      chance += outlook.weights[i] * this.#stageChance(leftMs - AT_BEST * outlook.afterMs[i], on);
    }
    const neededMs = stageMs + futureMs;
    this.futureMs = futureMs;
    const lateMs = program.sloMs - leftMs + Math.max(neededMs, leftMs);
    this.chance = chance;
    this.value =
      weight *
      (chance + (1 - chance) * decay(program.sloMs, Math.max(program.sloMs, lateMs), gain.alpha));
    this.costMs = costMs;
    this.remainingTokens = liveTokens;
    this.ramp.toMs = Math.max(0, leftMs);
    this.ramp.fromMs = Math.max(0, leftMs - MARGIN * neededMs);
    this.ramp.workMs = reservedMs;
  }

  /** The futures as sums and times; they change with the program's calls, the pace a little all the time. */
  #outlookOf(futures: readonly Future[], pace: Pace): Outlook {
    const kept = this.#outlook;
    if (
      kept !== undefined &&
      kept.futures === futures &&
      Math.abs(kept.tokenMs - pace.tokenMs) < 0.04 * pace.tokenMs
    ) {
      return kept;
    }
    const outlook: Outlook = {
      futures,
      tokenMs: pace.tokenMs,
      weights: new Float64Array(futures.length),
      afterMs: new Float64Array(futures.length),
      promptTokens: 0,
      outputTokens: 0,
      costMs: 0,
      reservedMs: 0,
      futureMs: 0,
    };
    let likely = 0;
    for (let i = 0; i < futures.length; i++) {
      const future = futures[i];
      outlook.weights[i] = future.weight;
      outlook.afterMs[i] = futureTime(future, pace);
      outlook.promptTokens += future.weight * future.promptTokens;
      outlook.outputTokens += future.weight * future.outputTokens;
      const costMs = futureCost(future, pace);
      outlook.costMs += future.weight * costMs;
      if (likely >= FUTURE_QUANTILE) continue;
      likely += future.weight;
      outlook.reservedMs = Math.max(outlook.reservedMs, costMs);
      outlook.futureMs = Math.max(outlook.futureMs, outlook.afterMs[i]);
    }
    this.#outlook = outlook;
    return outlook;
  }

  /** Probability that all live calls end within `leftMs`. */
  #stageChance(leftMs: number, { pace, knowledge }: Circumstances): number {
    let chance = 1;
    for (const call of this.calls) {
      const possible = Math.floor((leftMs - prefillTime(call, pace)) / pace.bestMs);
      chance *= possible < 1 ? 0 : knowledge.chance(call, possible);
    }
    return chance;
  }

  /** Pages that its live calls will have filled when they end. */
  pages(pageSize: number): number {
    const tokens = this.remainingTokens / this.calls.length;
    let sum = 0;
    for (const call of this.calls) sum += Math.ceil((call.knownTokens + tokens) / pageSize);
    return sum;
  }

  /** When `call`'s next obligation is due, ms: a stream's first token, then its end; else its deadline. */
  dueMs(call: Request): number {
    return call.slo.class === 'latency' ? call.arrivalMs + call.slo.ttft : call.deadlineMs;
  }

  /**
   * Latest time at which `call` has to be in a step to keep its next obligation, ms. A program's stage
   * has a deadline of its own: the program's, less what the later stages are expected to take, and
   * that is refined at every call. (Splitting the whole slack among the stages in proportion to their
   * length makes every program critical at once when there are many, and earned half as much.)
   */
  latestStart(call: Request, { pace }: Circumstances): number {
    if (call.slo.class === 'best-effort') return Number.POSITIVE_INFINITY;
    const prefillMs = prefillTime(call, pace);
    if (call.slo.class === 'latency') {
      const steps = 1 + Math.max(0, pendingPrompt(call) - LONG_PROMPT) / RUSH_CHUNK;
      return call.tokenDueMs(call.generated) - prefillMs - steps * pace.tokenMs;
    }
    const tokens = this.remainingTokens / this.calls.length;
    return call.deadlineMs - this.futureMs - prefillMs - tokens * pace.tokenMs;
  }
}

/** Prompt tokens (or tokens to recompute) before the next can be sampled. */
export function pendingPrompt(request: Request): number {
  if (request.resident) return request.decoding ? 0 : request.pendingTokens;
  return Math.max(1, request.knownTokens - request.cachedTokens);
}

/** How long the prompt takes when nothing stands in its way, ms. */
function prefillTime(request: Request, pace: Pace): number {
  const pending = pendingPrompt(request);
  return pending === 0 ? 0 : pending * pace.prefillMs + pace.baseMs;
}

/** GPU time of one decoded token over the next `tokens`, ms. */
function decodeCost(request: Request, tokens: number, pace: Pace): number {
  return pace.decodeMs + pace.contextMs * (request.knownTokens + tokens / 2);
}

function futureTime(future: Future, pace: Pace): number {
  return (
    future.longestTokens * pace.tokenMs +
    future.longestPromptTokens * pace.prefillMs +
    future.stages * pace.baseMs +
    future.gapMs
  );
}

function futureCost(future: Future, pace: Pace): number {
  const context =
    future.calls > 0 ? (future.promptTokens + future.outputTokens / 2) / future.calls : 0;
  return (
    future.freshTokens * pace.prefillMs +
    future.outputTokens * (pace.decodeMs + pace.contextMs * context)
  );
}

import { decay, type GainConfig, weightedTokens } from '../gain';
import type { Program } from '../program';
import type { Future } from '../program-history';
import type { Request } from '../request';
import type { Ramp } from './demand-bound';
import type { Knowledge } from './knowledge';
import type { Pace } from './pace';

/** What appraising a job needs to know. */
export interface Circumstances {
  now: number;
  pace: Pace;
  gain: GainConfig;
  knowledge: Knowledge;
  slackQuantile: number;
  justEnough: boolean;
}

/** Beyond this alpha a late answer is worth nothing, and nobody finishes it for its gain. */
const HARD_ALPHA = 10;
/** Less likely to be kept than this: hopeless. */
const HOPELESS = 0.02;

/**
 * What is admitted or not, as a whole: a request, or a program with all its calls. Keeps the last
 * appraisal: what it would earn, what it needs, and by when.
 */
export class Job {
  readonly program: Program | undefined;
  /** Live calls; one for a request on its own. */
  readonly calls: Request[] = [];
  /** Order of the first call's arrival. */
  readonly order: number;

  /** Gain still to be had, its chances considered. */
  value = 0;
  /** GPU time still needed for it, ms. */
  costMs = 0;
  /** value / costMs */
  density = 0;
  /** Probability that the objective is met if it is served from now on. */
  chance = 1;
  /** When its work has to be done, from `scoredMs` on. */
  readonly ramp: Ramp = { fromMs: 0, toMs: 0, workMs: 0 };
  /** When the last appraisal was made. */
  scoredMs = Number.NEGATIVE_INFINITY;
  /** Program: by when the current stage should be over, ms. */
  stageDeadlineMs = Number.POSITIVE_INFINITY;
  /** Expected output tokens still to come, of all live calls. */
  remainingTokens = 0;

  // Marks of the current plan.
  seenInPlan = -1;
  admitted = false;
  /** Key under which the waiting index holds it; undefined when it does not. */
  indexKey: number | undefined;
  #stagedCalls = 0;

  constructor(request: Request) {
    this.program = request.slo.class === 'program' ? request.program : undefined;
    this.order = request.order;
  }

  get bestEffort(): boolean {
    return this.calls[0]?.class === 'best-effort';
  }

  get hopeless(): boolean {
    return !this.bestEffort && this.chance < HOPELESS;
  }

  /** Whether any of its calls holds pages. */
  get resident(): boolean {
    return this.calls.some((call) => call.resident);
  }

  appraise(on: Circumstances): void {
    this.scoredMs = on.now;
    if (this.program !== undefined) this.#appraiseProgram(this.program, on);
    else this.#appraiseRequest(this.calls[0], on);
    this.density = this.value / Math.max(this.costMs, 1e-3);
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
    // A stream that is behind catches up by tbt − tokenMs a token; what it loses is late.
    let late = 0;
    if (firstMs > dueMs) {
      const gained = tbt - pace.tokenMs;
      late = gained > 0 ? Math.ceil((firstMs - dueMs) / gained) : Number.POSITIVE_INFINITY;
      // Hardly late is hardly lost where the objective is soft.
    }
    const lateTokens = knowledge.meanWithin(request, late);
    const onTime = Math.max(0, mean - lateTokens);
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
    // The prompt, then a token every tbt.
    const untilFirst = Math.max(0, dueMs - now);
    const paceMs = on.justEnough ? Math.max(tbt, pace.tokenMs) : pace.tokenMs;
    this.ramp.fromMs = Math.max(0, untilFirst - prefillMs);
    this.ramp.toMs = untilFirst + Math.max(1, mean) * paceMs;
    this.ramp.workMs = this.costMs;
  }

  #appraiseDeadline(request: Request, ttlt: number, on: Circumstances): void {
    const { now, pace, gain, knowledge } = on;
    const leftMs = request.arrivalMs + ttlt - now;
    const prefillMs = prefillTime(request, pace);
    const possible = Math.floor((leftMs - prefillMs) / pace.tokenMs);
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
    let chance = 0;
    let futureMs = 0;
    for (const future of futures) {
      const afterMs = futureTime(future, pace);
      futureMs += future.weight * afterMs;
      weight +=
        future.weight *
        (gain.inputWeight * future.promptTokens + gain.outputWeight * future.outputTokens);
      costMs += future.weight * futureCost(future, pace);
      chance += future.weight * this.#stageChance(leftMs - afterMs, on);
    }
    const neededMs = stageMs + futureMs;
    const lateMs = program.sloMs - leftMs + Math.max(neededMs, leftMs);
    this.chance = chance;
    this.value =
      weight *
      (chance + (1 - chance) * decay(program.sloMs, Math.max(program.sloMs, lateMs), gain.alpha));
    this.costMs = costMs;
    this.remainingTokens = liveTokens;
    this.ramp.toMs = Math.max(0, leftMs);
    this.ramp.fromMs = Math.max(0, leftMs - neededMs);
    this.ramp.workMs = costMs;
    // The stage's own deadline, in proportion to the time that history spent; kept until the next call.
    if (this.#stagedCalls !== program.calls.length) {
      this.#stagedCalls = program.calls.length;
      const share = neededMs > 0 ? stageMs / neededMs : 1;
      this.stageDeadlineMs = now + Math.max(stageMs, share * leftMs);
    }
  }

  /** Probability that all live calls end within `leftMs`. */
  #stageChance(leftMs: number, { pace, knowledge }: Circumstances): number {
    let chance = 1;
    for (const call of this.calls) {
      const possible = Math.floor((leftMs - prefillTime(call, pace)) / pace.tokenMs);
      chance *= possible < 1 ? 0 : knowledge.chance(call, possible);
    }
    return chance;
  }

  /** Latest time at which `call` has to be in a step to keep its next obligation, ms. */
  latestStart(call: Request, on: Circumstances): number {
    const { pace } = on;
    const prefillMs = prefillTime(call, pace);
    switch (call.slo.class) {
      case 'latency': {
        if (!on.justEnough) return call.arrivalMs;
        return call.tokenDueMs(call.generated) - prefillMs - pace.tokenMs;
      }
      case 'deadline':
        return (
          call.deadlineMs - prefillMs - on.knowledge.quantile(call, on.slackQuantile) * pace.tokenMs
        );
      case 'program':
        return (
          this.stageDeadlineMs -
          prefillMs -
          on.knowledge.quantile(call, on.slackQuantile) * pace.tokenMs
        );
      default:
        return Number.POSITIVE_INFINITY;
    }
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
    future.promptTokens * pace.prefillMs +
    future.outputTokens * (pace.decodeMs + pace.contextMs * context)
  );
}

import type { ProgramSpec } from './call-graph';
import { TempoError } from './errors';
import type { EngineCapabilities, EngineCapacity, KvState, StepExecutor } from './executor';
import { completionGain, DEFAULT_GAIN, type GainConfig, programGain, tokenGain } from './gain';
import { Metrics } from './metrics';
import { type Plan, PlanBuilder } from './plan';
import type { Policy } from './policy';
import { CostModel, type StepCosts, type StepShape } from './predict/cost-model';
import { LengthPredictor } from './predict/length-predictor';
import { ProgramHistory } from './predict/program-history';
import { type Traffic, type Wait, WaitingTime } from './predict/waiting-time';
import { Program } from './program';
import {
  type Decision,
  type FinishReason,
  Request,
  type RequestEnd,
  type RequestSpec,
} from './request';
import { type Slo, validateDeadline, validateSlo } from './slo';
import type { SchedulerView } from './view';

export interface SchedulerOptions {
  policy: Policy;
  engine: Pick<StepExecutor, 'capacity' | 'capabilities' | 'kv'>;
  /** Step-time coefficients to start from: a calibration, or the device profile's. */
  costs: StepCosts;
  gain?: Partial<GainConfig>;
  /** Requests that may wait at once (default 10,000); beyond it a submission is refused. */
  maxWaiting?: number;
  /** GPU share guaranteed to best-effort work (default 0.05); tempo keeps it over any two minutes. */
  bestEffortShare?: number;
  /** Refuse what cannot make its objective any more, instead of serving it last (default false). */
  rejectHopeless?: boolean;
}

/** Programs between two calls that are kept at once, and calls of one. */
const MAX_IDLE_PROGRAMS = 2048;
const MAX_CALLS = 1024;

/** One request's line in an explained plan. */
export interface Explanation extends Decision {
  requestId: string;
  app: string;
  chosen: boolean;
}

/**
 * Owns the requests and decides, step by step, what the engine computes. Pure: it is told the time
 * and what a step produced, and touches nothing outside itself.
 */
export class Scheduler implements Omit<SchedulerView, 'now'> {
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly kv: KvState;
  readonly gain: GainConfig;
  readonly cost: CostModel;
  readonly lengths = new LengthPredictor();
  readonly graphs = new ProgramHistory();
  readonly metrics: Metrics;
  readonly bestEffortShare: number;
  readonly maxWaiting: number;
  readonly waiting: Request[] = [];
  readonly resident: Request[] = [];
  readonly programs = new Map<string, Program>();
  readonly #requests = new Map<string, Request>();
  readonly #waits = new WaitingTime();
  readonly #rejectHopeless: boolean;
  /** Ended while resident: the engine still holds their pages. */
  #released: Request[] = [];
  #policy: Policy;
  /** The last plan had no place left. */
  #full = false;
  #plans = 0;
  #order = 0;
  now = 0;
  /** What the policy first failed of; it is asked again, and what it leaves undone is done in order of arrival. */
  policyFailure: TempoError | undefined;

  constructor(options: SchedulerOptions) {
    this.capacity = options.engine.capacity;
    this.capabilities = options.engine.capabilities;
    this.kv = options.engine.kv;
    this.gain = { ...DEFAULT_GAIN, ...options.gain };
    this.cost = new CostModel(options.costs);
    this.metrics = new Metrics(this.gain, {
      lengths: () => this.lengths.calibration,
      waits: () => this.#waits.snapshot(),
    });
    this.bestEffortShare = options.bestEffortShare ?? 0.05;
    this.maxWaiting = options.maxWaiting ?? 10_000;
    this.#rejectHopeless = options.rejectHopeless ?? false;
    this.#policy = options.policy;
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Switches policy between two steps; every live request is introduced to the new one. */
  set policy(policy: Policy) {
    this.#policy = policy;
    this.policyFailure = undefined;
    for (const request of this.#requests.values())
      this.#ask(() => policy.submitted?.(request, this));
  }

  /** Requests that have not ended. */
  get live(): number {
    return this.#requests.size;
  }

  /** Longest prompt, tokens: it leaves room for an answer of one. */
  get maxPromptTokens(): number {
    const { contextWindow, totalPages, pageSize, maxPrefillTokens } = this.capacity;
    const longest = Math.min(contextWindow, totalPages * pageSize);
    return (this.capabilities.continuedPrefill ? longest : Math.min(longest, maxPrefillTokens)) - 1;
  }

  request(id: string): Request | undefined {
    return this.#requests.get(id);
  }

  /** How long each of those that wait is still expected to, in order of arrival. */
  expectedWaits(): Wait[] {
    return this.#waits.remaining(this.waiting, this.#traffic, (request) =>
      this.#policy.aheadMs?.(request, this),
    );
  }

  /**
   * Queues a request; max_tokens is cut to what the context window leaves. `expectedWaitMs` of the
   * request says how long it will wait. Throws `invalid_slo`, `invalid_request`,
   * `context_length_exceeded`, `queue_full`, and with `rejectHopeless` also `slo_unattainable`.
   */
  submit(spec: RequestSpec, nowMs: number): Request {
    this.now = nowMs;
    this.#check(spec);
    const room = this.capacity.contextWindow - spec.promptTokens;
    const maxTokens = Math.min(spec.maxTokens, room);
    const request = new Request({ ...spec, maxTokens }, nowMs, this.#order++);
    const traffic = this.#traffic;
    const aheadMs = this.#policy.aheadMs?.(request, this);
    request.expectedWaitMs = this.#waits.estimate(request.class, traffic, aheadMs);
    if (spec.promised !== true) this.#accept(request);
    this.metrics.submitted(request);
    this.#requests.set(request.id, request);
    this.waiting.push(request);
    try {
      request.estimate = this.lengths.expect(request);
      this.#waits.join(request, this.#workMs(request), traffic, aheadMs);
      request.program?.join(request);
    } catch (thrown) {
      this.end(request, { kind: 'failed', error: TempoError.from(thrown) }, nowMs);
      throw thrown;
    }
    this.#ask(() => this.#policy.submitted?.(request, this));
    return request;
  }

  /** Gives a live request another objective; the policy meets it anew. Throws `invalid_slo`. */
  setSlo(request: Request, slo: Slo): void {
    validateSlo(slo);
    if (request.ended) return;
    this.#ask(() => this.#policy.ended?.(request, this));
    request.slo = slo;
    this.#ask(() => this.#policy.submitted?.(request, this));
  }

  startProgram(spec: ProgramSpec, nowMs: number): Program {
    validateDeadline(spec.deadlineMs);
    if (this.programs.has(spec.id)) {
      throw new TempoError('invalid_request', `There is a program "${spec.id}" already.`, {
        param: 'program',
      });
    }
    // Each that is under way has a request that lives; so many of the rest are idle.
    if (this.programs.size - this.live >= MAX_IDLE_PROGRAMS) this.#forgetProgram(nowMs);
    const program = new Program(spec, nowMs);
    this.programs.set(program.id, program);
    this.graphs.expect(program);
    return program;
  }

  /** The app that has the most programs loses the oldest of them that has no call under way. */
  #forgetProgram(nowMs: number): void {
    const idle = [...this.programs.values()].filter(({ waves }) => !waves.at(-1)?.live);
    const counts = new Map<string, number>();
    for (const { app } of idle) counts.set(app, (counts.get(app) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const program = idle.find(({ app }) => counts.get(app) === most);
    if (program === undefined) return;
    program.endMs = nowMs;
    this.programs.delete(program.id);
    this.graphs.forget(program);
  }

  /** A program's owner has its answer: its gain is counted. Returns the gain. */
  endProgram(program: Program, nowMs: number): number {
    if (program.ended) return 0;
    program.endMs = nowMs;
    this.programs.delete(program.id);
    this.graphs.record(program);
    const gain = programGain(program, nowMs, this.gain);
    const last = program.calls.at(-1);
    const possible = programGain(program, program.startMs, this.gain);
    if (last !== undefined) this.metrics.earned(last, gain, possible);
    return gain;
  }

  /**
   * Decides the next step. `plan.work` is empty when there is nothing to do. `cachedTokens` says how
   * much of a request without pages the engine would find computed (default: what was expected at
   * its submission).
   */
  plan(nowMs: number, cachedTokens?: (request: Request) => number): Plan {
    this.now = nowMs;
    const builder = new PlanBuilder(this, this.#plans++, cachedTokens);
    const planned = this.#ask(() => this.#policy.plan(this, builder));
    const lacking = builder.batch === 0 && this.policyFailure !== undefined;
    if (!planned || lacking) this.#serveInOrder(builder);
    if (builder.batch === 0) this.#keepGoing(builder);
    return this.#build(builder);
  }

  /** The plan that goes on with the oldest, whatever the policy. */
  planOldest(nowMs: number): Plan {
    this.now = nowMs;
    const builder = new PlanBuilder(this, this.#plans++);
    this.#keepGoing(builder);
    return this.#build(builder);
  }

  /** The engine made `request` resident and found `cachedTokens` of it computed already. */
  admitted(request: Request, cachedTokens: number): void {
    request.resident = true;
    request.computed = cachedTokens;
    // What was found, not what was expected; later admissions find what it left itself.
    if (request.admittedMs === undefined) request.cachedTokens = cachedTokens;
    request.admittedMs ??= this.now;
    this.#waits.leave(request, this.now, true);
    removeFrom(this.waiting, request);
    this.resident.push(request);
  }

  /** A step is over: its cost is learnt, and its work counted as computed. */
  stepped(plan: Plan, durationMs: number, nowMs: number): void {
    this.now = nowMs;
    this.cost.observe(shapeOf(plan), durationMs);
    this.metrics.stepped(durationMs);
    let total = 0;
    for (const { tokens } of plan.work) total += tokens;
    for (const { request, tokens } of plan.work) {
      if (request.ended) continue;
      request.computed += tokens;
      request.serviceMs += (durationMs * tokens) / total;
      this.#ask(() => this.#policy.served?.(request, tokens, durationMs, this));
    }
  }

  /** The engine sampled a token for `request`. */
  token(request: Request, nowMs: number): void {
    this.now = nowMs;
    const since = nowMs - (request.lastTokenMs ?? request.arrivalMs);
    request.generated++;
    request.firstTokenMs ??= nowMs;
    request.lastTokenMs = nowMs;
    if (nowMs <= request.tokenDueMs(request.generated - 1)) request.onTimeTokens++;
    this.metrics.token(request, since);
    this.#earn(request, nowMs, tokenGain);
  }

  /** Ends a request. The first end counts; returns whether this was it. Its pages go with `takeReleased`. */
  end(request: Request, end: RequestEnd, nowMs: number): boolean {
    if (request.ended) return false;
    this.now = nowMs;
    request.end = end;
    request.endMs = nowMs;
    this.#requests.delete(request.id);
    if (request.resident) this.#released.push(request);
    removeFrom(request.resident ? this.resident : this.waiting, request);
    if (end.kind === 'finished') {
      this.lengths.observe(request);
      this.#earn(request, nowMs, completionGain);
    } else {
      this.lengths.forget(request);
    }
    this.#waits.leave(request, nowMs, false);
    request.program?.leave(request);
    this.metrics.ended(request);
    this.#ask(() => this.#policy.ended?.(request, this));
    return true;
  }

  finish(request: Request, reason: FinishReason, nowMs: number): boolean {
    return this.end(request, { kind: 'finished', reason }, nowMs);
  }

  /** Requests that ended while resident since the last call: the engine is to remove them. */
  takeReleased(): readonly Request[] {
    const released = this.#released;
    if (released.length > 0) this.#released = [];
    return released;
  }

  /** The engine lost its state: whatever was resident waits again, tokens kept. */
  lost(): void {
    this.#released = [];
    for (const request of [...this.resident]) this.#drop(request);
  }

  /** The last plan, request by request. */
  explain(): Explanation[] {
    const number = this.#plans - 1;
    // A policy stops once the batch is full, and says nothing of the rest.
    const rest = this.#full ? 'batch-full' : 'queued';
    return [...this.resident, ...this.waiting].map((request) => {
      const decision: Decision =
        request.planNumber === number ? request.decision : { tokens: 0, reason: rest };
      const remainingTokens =
        decision.remainingTokens ?? Math.round(this.lengths.remaining(request, 0.5));
      const chosen = decision.tokens > 0;
      return { requestId: request.id, app: request.app, chosen, ...decision, remainingTokens };
    });
  }

  #build(builder: PlanBuilder): Plan {
    this.#full = builder.batch >= builder.maxBatch;
    const plan = builder.build();
    for (const request of plan.preempted) this.#drop(request);
    return plan;
  }

  get #traffic(): Traffic {
    const freeSequences = this.capacity.maxSequences - this.resident.length;
    const stepMs = this.cost.recentDecodeStepMs ?? this.cost.costs.baseMs;
    const roomMs = freeSequences > 0 ? 0 : this.#roomMs(stepMs);
    return { freeSequences, waiting: this.waiting.length, stepMs, roomMs };
  }

  /** When the first of the residents is likely to be done, ms. */
  #roomMs(stepMs: number): number {
    const { perPrefillTokenMs } = this.cost.costs;
    const leftMs = this.resident.map(
      (request) =>
        (request.decoding ? 0 : request.pendingTokens * perPrefillTokenMs) +
        this.lengths.remaining(request, 0.5) * stepMs,
    );
    return Math.min(...leftMs);
  }

  /** GPU time that a request is expected to use up in a full batch, ms. */
  #workMs(request: Request): number {
    const { baseMs, perPrefillTokenMs } = this.cost.costs;
    const { maxBatch, maxSequences } = this.capacity;
    const batch = this.capabilities.batchedDecode ? Math.min(maxBatch, maxSequences) : 1;
    const decodeMs = baseMs / batch + this.cost.decodeMs(request.promptTokens);
    return (
      (request.promptTokens - request.cachedTokens) * perPrefillTokenMs +
      this.lengths.expected(request) * decodeMs
    );
  }

  /** Has the policy do something. Its failure is its own: nobody's request ends of it. */
  #ask(something: () => void): boolean {
    try {
      something();
      return true;
    } catch (thrown) {
      this.policyFailure ??= TempoError.from(thrown);
      return false;
    }
  }

  #serveInOrder(builder: PlanBuilder): void {
    for (const request of [...this.resident, ...this.waiting.slice(0, builder.maxBatch)]) {
      builder.add(request, 'in-order');
    }
  }

  /** The engine never rests while somebody waits, whatever the policy: the oldest goes on. */
  #keepGoing(builder: PlanBuilder): void {
    for (const requests of [this.resident, this.waiting]) {
      for (const request of requests) {
        if (builder.add(request, 'in-order', {}, { makeRoom: true }) > 0) return;
      }
    }
  }

  /** Throws, and counts the request as rejected, where there is no room for it or no hope. */
  #accept(request: Request): void {
    try {
      this.#checkRoom();
      if (this.#rejectHopeless) this.#checkAttainable(request);
    } catch (thrown) {
      request.end = { kind: 'rejected', error: TempoError.from(thrown) };
      request.endMs = request.arrivalMs;
      this.metrics.submitted(request);
      this.metrics.ended(request);
      throw thrown;
    }
  }

  #checkRoom(): void {
    if (this.waiting.length < this.maxWaiting) return;
    // The first of those that wait is taken up then, and leaves its place in the queue.
    const { stepMs, roomMs } = this.#traffic;
    const retryAfterMs = Math.ceil(Math.max(stepMs, roomMs));
    throw new TempoError(
      'queue_full',
      `${this.waiting.length} requests are waiting, the most this scheduler holds. Try again in ${retryAfterMs} ms.`,
      { retryAfterMs },
    );
  }

  #checkAttainable(request: Request): void {
    const { slo } = request;
    if (slo.class !== 'latency' && slo.class !== 'deadline') return;
    const { baseMs, perPrefillTokenMs } = this.cost.costs;
    const prefillMs = (request.promptTokens - request.cachedTokens) * perPrefillTokenMs;
    const tokens = slo.class === 'latency' ? 1 : this.lengths.remaining(request, 0.5);
    const allowedMs = slo.class === 'latency' ? slo.ttft : slo.ttlt;
    const refuse = (why: string, retryAfterMs?: number) => {
      const sentence = `The objective of ${allowedMs} ms cannot be met: ${why}`;
      return new TempoError('slo_unattainable', sentence, { retryAfterMs, param: 'slo' });
    };
    const aloneMs = prefillMs + tokens * (baseMs + this.cost.decodeMs(request.promptTokens));
    if (aloneMs > allowedMs) {
      throw refuse(
        `about ${Math.ceil(aloneMs)} ms are needed even with nothing else to do. Allow more time.`,
      );
    }
    const neededMs = request.expectedWaitMs + prefillMs + tokens * this.#traffic.stepMs;
    if (neededMs <= allowedMs) return;
    const retryAfterMs = Math.ceil(neededMs - allowedMs);
    throw refuse(
      `about ${Math.ceil(neededMs)} ms are needed now. Try again in ${retryAfterMs} ms, or allow more time.`,
      retryAfterMs,
    );
  }

  #earn(request: Request, nowMs: number, gainOf: typeof tokenGain): void {
    const gain = gainOf(request, nowMs, this.gain);
    request.gain += gain;
    this.metrics.earned(request, gain, gainOf(request, request.arrivalMs, this.gain));
  }

  #drop(request: Request): void {
    removeFrom(this.resident, request);
    request.resident = false;
    request.computed = 0;
    request.preemptions++;
    // Back to its place in the order of arrival.
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1].order > request.order) at--;
    this.waiting.splice(at, 0, request);
    this.metrics.preempted(request);
  }

  #check(spec: RequestSpec): void {
    validateSlo(spec.slo);
    if (spec.slo.class === 'program' && spec.program === undefined) {
      throw new TempoError(
        'invalid_slo',
        'A request of class program needs the program it belongs to.',
        {
          param: 'slo',
        },
      );
    }
    if (spec.program?.ended) {
      throw new TempoError(
        'program_ended',
        `The program "${spec.program.id}" has ended; start a new one.`,
        {
          param: 'program',
        },
      );
    }
    if (spec.program !== undefined && spec.program.calls.length >= MAX_CALLS) {
      const sentence = `The program "${spec.program.id}" has had ${MAX_CALLS} calls, the most there may be. Start a new one.`;
      throw new TempoError('invalid_request', sentence, { param: 'program' });
    }
    if (this.#requests.has(spec.id)) {
      throw new TempoError('invalid_request', `There is a request "${spec.id}" already.`, {
        param: 'id',
      });
    }
    if (!(Number.isInteger(spec.promptTokens) && spec.promptTokens > 0)) {
      throw new TempoError('invalid_request', 'The prompt must have at least one token.', {
        param: 'messages',
      });
    }
    if (!(Number.isInteger(spec.maxTokens) && spec.maxTokens > 0)) {
      throw new TempoError('invalid_request', 'max_tokens must be a whole number of at least 1.', {
        param: 'max_tokens',
      });
    }
    if (spec.promptTokens > this.maxPromptTokens) {
      throw new TempoError(
        'context_length_exceeded',
        `The prompt has ${spec.promptTokens} tokens; this engine takes prompts of at most ${this.maxPromptTokens}. Shorten the messages.`,
        { param: 'messages' },
      );
    }
  }
}

/** A plan's shape, as the cost model sees it. */
export function shapeOf(plan: Pick<Plan, 'work'>): StepShape {
  const shape: StepShape = { decodes: 0, contextTokens: 0, prefillTokens: 0 };
  for (const { request, tokens } of plan.work) {
    if (request.decoding) shape.decodes++;
    else shape.prefillTokens += tokens;
    shape.contextTokens += request.computed + tokens;
  }
  return shape;
}

function removeFrom(list: Request[], request: Request): void {
  const at = list.indexOf(request);
  if (at >= 0) list.splice(at, 1);
}

import { checkAttainable, checkRoom } from './attainable';
import type { ProgramSpec } from './call-graph';
import { checkRequest } from './check-request';
import { TempoError } from './errors';
import type { EngineCapabilities, EngineCapacity, KvState, StepExecutor } from './executor';
import { completionGain, DEFAULT_GAIN, type GainConfig, programGain, tokenGain } from './gain';
import { invariant } from './invariant';
import { Metrics } from './metrics';
import { type Plan, PlanBuilder } from './plan';
import type { Policy } from './policy';
import { CostModel, type StepCosts, type StepShape } from './predict/cost-model';
import { LengthPredictor } from './predict/length-predictor';
import { ProgramHistory } from './predict/program-history';
import { type Traffic, type Wait, WaitingTime } from './predict/waiting-time';
import type { Program } from './program';
import { ProgramTable } from './program-table';
import {
  type Decision,
  type FinishReason,
  Request,
  type RequestEnd,
  type RequestSpec,
} from './request';
import { type Slo, validateSlo } from './slo';
import { trafficOf, workMs } from './traffic';
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
  readonly #programs = new ProgramTable(this.graphs);
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
    const { bestEffortShare: share, maxWaiting } = this;
    invariant(share >= 0 && share <= 1, `best effort is guaranteed a share of ${share}`);
    invariant(maxWaiting >= 1, `${maxWaiting} requests may wait`);
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

  get programs(): ReadonlyMap<string, Program> {
    return this.#programs.open;
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
    return this.#waits.remaining(this.waiting, trafficOf(this), (request) =>
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
    const traffic = trafficOf(this);
    const aheadMs = this.#policy.aheadMs?.(request, this);
    request.expectedWaitMs = this.#waits.estimate(request.class, traffic, aheadMs);
    if (spec.promised !== true) this.#accept(request, traffic);
    this.metrics.submitted(request);
    this.#requests.set(request.id, request);
    this.waiting.push(request);
    try {
      request.estimate = this.lengths.expect(request);
      this.#waits.join(request, workMs(request, this), traffic, aheadMs);
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
    return this.#programs.start(spec, nowMs, this.live);
  }

  /** A program's owner has its answer: its gain is counted. Returns the gain. */
  endProgram(program: Program, nowMs: number): number {
    if (program.ended) return 0;
    this.#programs.end(program, nowMs);
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
    request.admit(cachedTokens, this.now);
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
  #accept(request: Request, traffic: Traffic): void {
    try {
      checkRoom(traffic, this.maxWaiting);
      if (this.#rejectHopeless) checkAttainable(request, traffic, this);
    } catch (thrown) {
      request.end = { kind: 'rejected', error: TempoError.from(thrown) };
      request.endMs = request.arrivalMs;
      this.metrics.submitted(request);
      this.metrics.ended(request);
      throw thrown;
    }
  }

  #earn(request: Request, nowMs: number, gainOf: typeof tokenGain): void {
    const gain = gainOf(request, nowMs, this.gain);
    request.gain += gain;
    this.metrics.earned(request, gain, gainOf(request, request.arrivalMs, this.gain));
  }

  #drop(request: Request): void {
    removeFrom(this.resident, request);
    request.drop();
    // Back to its place in the order of arrival.
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1].order > request.order) at--;
    this.waiting.splice(at, 0, request);
    this.metrics.preempted(request);
  }

  #check(spec: RequestSpec): void {
    checkRequest(spec, this.maxPromptTokens);
    if (this.#requests.has(spec.id)) {
      throw new TempoError('invalid_request', `There is a request "${spec.id}" already.`, {
        param: 'id',
      });
    }
  }
}

/** A plan's shape, as the cost model sees it. */
function shapeOf(plan: Pick<Plan, 'work'>): StepShape {
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

import type { CallGraph } from './call-graph';
import type { TempoError } from './errors';
import { invariant } from './invariant';
import type { Slo, SloClass } from './slo';

export interface RequestSpec {
  id: string;
  /** Who asks: attainment, fairness and length history are kept per app. */
  app: string;
  /** What for, within the app (`plan`, `summarize`); length history is kept per stage. */
  stage?: string;
  slo: Slo;
  promptTokens: number;
  /** Most tokens to generate. */
  maxTokens: number;
  /** Prompt tokens that a cached prefix covers, as far as is known at submission. */
  cachedTokens?: number;
  /** Part of what was accepted already (a further choice of a request): not refused any more. */
  promised?: boolean;
  /** The program this call belongs to, for slo.class `program`. */
  program?: CallGraph<Request>;
  /** The lab's ground truth, for the clairvoyant yardstick alone. */
  truth?: { outputTokens: number };
}

export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** A request ends exactly once, in one of these ways. */
export type RequestEnd =
  | { kind: 'finished'; reason: FinishReason }
  | { kind: 'aborted' }
  | { kind: 'rejected'; error: TempoError }
  | { kind: 'failed'; error: TempoError };

/** Why a request is, or is not, in a plan. */
export type Reason =
  // chosen
  | 'critical' // little slack is left to it
  | 'on-schedule' // its next obligation is the nearest
  | 'density' // it earns most per GPU-millisecond
  | 'fair-share' // its guaranteed share
  | 'in-order' // its turn, in the policy's own order
  // not chosen
  | 'queued' // the policy did not come to it
  | 'hopeless' // cannot make its objective any more
  | 'not-admitted' // would not fit beside what is admitted
  | 'batch-full'
  | 'preparing' // what its next token is drawn with is being made ready
  | 'sequences-full'
  | 'pages-full'
  | 'prefill-budget'
  | 'step-kind' // this engine cannot mix prefill and decode
  | 'tbt-guard' // a larger step would break the tightest TBT in it
  | 'marginal' // costs the others more than it earns
  | 'preempted'; // its pages were dropped

/** What the last plan made of a request, with the numbers behind it. */
export interface Decision {
  /** Tokens to compute this step; 0 when not chosen. */
  tokens: number;
  reason: Reason;
  /** Time to the next obligation less the time needed for it, ms. */
  slackMs?: number;
  /** Gain per GPU-millisecond still needed. */
  density?: number;
  /** Predicted output tokens still to come. */
  remainingTokens?: number;
}

/**
 * Where a request stands. `waiting`: without pages. `resident`: with pages, and may be in a step.
 * `preparing`: with pages, but what its next token is drawn with is being made ready. `ended`: for good.
 */
export type RequestState = 'waiting' | 'resident' | 'preparing' | 'ended';

/** What is told of a request's output length when it is submitted, in tokens. */
export interface LengthEstimate {
  /** Half of its like are shorter. */
  median: number;
  /** Upper bound: the 95% quantile of its like. */
  bound: number;
}

/** The scheduler's noun: what is known of one call, and where it stands. */
export class Request {
  readonly id: string;
  readonly app: string;
  readonly stage: string;
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly program: CallGraph<Request> | undefined;
  readonly arrivalMs: number;
  /** Submission number: the order of arrival, ties included. */
  readonly order: number;
  readonly truth: { outputTokens: number } | undefined;
  slo: Slo;

  /** Tokens whose keys and values are in the cache. */
  computed = 0;
  /** Output tokens so far. */
  generated = 0;
  /** What was predicted of its output length at submission; undefined until it is queued. */
  estimate: LengthEstimate | undefined;
  /** What it was told to wait for its first step when it was submitted, ms. */
  expectedWaitMs = 0;
  /** GPU time of the work that was queued before it, ms. */
  queuedWorkMs = 0;
  /** Prompt tokens that its first admission found cached, or is expected to find. */
  cachedTokens: number;
  /** Times its pages were dropped. */
  preemptions = 0;
  admittedMs: number | undefined;
  firstTokenMs: number | undefined;
  lastTokenMs: number | undefined;
  endMs: number | undefined;
  end: RequestEnd | undefined;
  /** Output tokens that came in time (latency class). */
  onTimeTokens = 0;
  /** Service gain earned so far. */
  gain = 0;
  /** GPU time attributed to it so far, ms. */
  serviceMs = 0;

  #place: Exclude<RequestState, 'ended'> = 'waiting';

  // The last plan's verdict; `planNumber` tells whether that plan came to it at all.
  planNumber = -1;
  decision: Decision = { tokens: 0, reason: 'queued' };

  constructor(spec: RequestSpec, arrivalMs: number, order: number) {
    const { promptTokens, maxTokens, cachedTokens = 0 } = spec;
    invariant(Number.isInteger(promptTokens) && promptTokens >= 1, 'a request without a prompt');
    invariant(Number.isInteger(maxTokens) && maxTokens >= 1, 'a request for no tokens');
    invariant(cachedTokens >= 0 && cachedTokens < promptTokens, 'nothing is left to compute');
    this.id = spec.id;
    this.app = spec.app;
    this.stage = spec.stage ?? 'default';
    this.slo = spec.slo;
    this.promptTokens = promptTokens;
    this.maxTokens = maxTokens;
    this.cachedTokens = cachedTokens;
    this.program = spec.program;
    this.truth = spec.truth;
    this.arrivalMs = arrivalMs;
    this.order = order;
  }

  get class(): SloClass {
    return this.slo.class;
  }

  /** Prompt and output so far. */
  get knownTokens(): number {
    return this.promptTokens + this.generated;
  }

  /** Known tokens still to compute before the next can be sampled; at least 1. */
  get pendingTokens(): number {
    return this.knownTokens - this.computed;
  }

  /** Needs exactly one more token computed, and has its prompt behind it. */
  get decoding(): boolean {
    return this.generated > 0 && this.pendingTokens === 1;
  }

  get state(): RequestState {
    return this.end === undefined ? this.#place : 'ended';
  }

  get ended(): boolean {
    return this.end !== undefined;
  }

  /** Holds pages in the engine. */
  get resident(): boolean {
    return this.#place !== 'waiting';
  }

  /** In no step: what its next token is drawn with is being made ready. */
  get preparing(): boolean {
    return this.#place === 'preparing';
  }

  /** It has pages, and the engine found `cachedTokens` of it computed already. */
  admit(cachedTokens: number, nowMs: number): void {
    invariant(this.state === 'waiting', `${this.id} is admitted while it is ${this.state}`);
    this.#place = 'resident';
    this.computed = cachedTokens;
    // What was found, not what was expected; later admissions find what it left itself.
    if (this.admittedMs === undefined) this.cachedTokens = cachedTokens;
    this.admittedMs ??= nowMs;
  }

  /** Whether its next token cannot be drawn yet. It must be resident. */
  hold(preparing: boolean): void {
    invariant(this.resident, `${this.id} is held without pages`);
    this.#place = preparing ? 'preparing' : 'resident';
  }

  /** Its pages are gone, and it waits again. */
  drop(): void {
    invariant(this.resident, `${this.id} has no pages to lose`);
    this.#place = 'waiting';
    this.computed = 0;
    this.preemptions++;
  }

  /** Tokens that need not be computed: they are in the cache, or are expected to be found there. */
  get coveredTokens(): number {
    return this.resident ? this.computed : this.cachedTokens;
  }

  /** Output tokens it may still produce. */
  get remainingMax(): number {
    return this.maxTokens - this.generated;
  }

  /** When everything must be done, ms; Infinity where nothing must. A latency request has none. */
  get deadlineMs(): number {
    switch (this.slo.class) {
      case 'deadline':
        return this.arrivalMs + this.slo.ttlt;
      case 'program':
        return this.program?.deadlineMs ?? Number.POSITIVE_INFINITY;
      default:
        return Number.POSITIVE_INFINITY;
    }
  }

  /** When output token `index` (from 0) is due, ms; Infinity unless the class is latency. */
  tokenDueMs(index: number): number {
    if (this.slo.class !== 'latency') return Number.POSITIVE_INFINITY;
    return this.arrivalMs + this.slo.ttft + index * this.slo.tbt;
  }

  /** When its next obligation is due, ms: a stream's next token, or all of the rest; Infinity where nothing is. */
  get nextDueMs(): number {
    return this.slo.class === 'latency' ? this.tokenDueMs(this.generated) : this.deadlineMs;
  }
}

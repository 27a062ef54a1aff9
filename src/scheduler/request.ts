import type { CallGraph } from './call-graph';
import type { TempoError } from './errors';
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
  /** Holds pages in the engine. */
  resident = false;
  /** What its next token is drawn with is being made ready: it is in no step. */
  preparing = false;
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

  // The last plan's verdict; `planNumber` tells whether that plan came to it at all.
  planNumber = -1;
  decision: Decision = { tokens: 0, reason: 'queued' };

  constructor(spec: RequestSpec, arrivalMs: number, order: number) {
    this.id = spec.id;
    this.app = spec.app;
    this.stage = spec.stage ?? 'default';
    this.slo = spec.slo;
    this.promptTokens = spec.promptTokens;
    this.maxTokens = spec.maxTokens;
    this.cachedTokens = spec.cachedTokens ?? 0;
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

  get ended(): boolean {
    return this.end !== undefined;
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
}

import type { GainConfig } from '../../../gain';
import type { Knowledge } from '../../../predict/knowledge';
import type { Pace } from '../../../predict/pace';
import type { Rule } from '../options';
import type { Tuning } from '../tuning';

/** What deciding needs to know beside the jobs. */
export interface Circumstances {
  readonly now: number;
  readonly pace: Pace;
  readonly gain: GainConfig;
  readonly knowledge: Knowledge;
  readonly tuning: Tuning;
  /** Rules that are left out. */
  readonly without: ReadonlySet<Rule>;
}

/** Work, and when it has to be done at the latest: evenly from `fromMs` to `toMs` on the scheduler's clock. */
export interface Demand {
  readonly fromMs: number;
  readonly toMs: number;
  /** GPU time, ms. */
  readonly workMs: number;
  /** Of it, what has to be done at once by `headDueMs` (a stream's prompt), ms. */
  readonly headMs: number;
  readonly headDueMs: number;
}

/** What the class of a job says of it. */
export interface Prospect {
  /** Gain still to be had, its chances considered. */
  readonly value: number;
  /** GPU time still needed for it, the mean, ms. */
  readonly costMs: number;
  /** Probability that the objective is met if it is served from now on. */
  readonly chance: number;
  /** A stream whose next token cannot be on time any more: the later it is served, the more are late. */
  readonly late: boolean;
  /** Output tokens still to come, of all its live calls, the mean. */
  readonly tokens: number;
  /** A program: time that the stages after the current one take, an upper bound, ms. */
  readonly futureMs: number;
  readonly demand: Demand;
}

/** What is thought of a job at one moment. Never changed: a new one takes its place. */
export interface Appraisal extends Prospect {
  /** Until when it is good, unless something happens to the job, ms. */
  readonly validMs: number;
  /** Gain per ms of GPU time. */
  readonly density: number;
  /** What admission goes by: density, and what was begun before what was not. */
  readonly rank: number;
}

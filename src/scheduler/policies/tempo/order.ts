import { prefillTime } from '../../predict/pace';
import type { Request } from '../../request';
import type { Circumstances } from './appraise';
import type { Job } from './job';

/** A request that could be in the step. */
export interface Task {
  readonly request: Request;
  readonly job: Job;
  /** Latest time at which it has to be in a step to keep its next obligation, ms. */
  readonly startMs: number;
  /** When its next obligation is due, ms: a stream's next token, or its deadline. */
  readonly dueMs: number;
  /** Little slack is left to it. */
  readonly critical: boolean;
  /** In a hurry, of an app that asks for less than its share: before all others. */
  readonly first: boolean;
}

export function taskOf(request: Request, job: Job, light: boolean, on: Circumstances): Task {
  const { now, pace, tuning, without } = on;
  const prefillMs = prefillTime(request, pace);
  const stream = request.slo.class === 'latency' ? request.slo : undefined;
  let dueMs = request.deadlineMs;
  let neededMs: number;
  let critical: boolean;
  let startMs: number;
  if (stream === undefined) {
    // A program's stage has a deadline of its own: the program's, less what the later stages may take.
    const { tokens, futureMs } = job.appraisal;
    neededMs = futureMs + prefillMs + (tokens / job.calls.length) * pace.tokenMs;
    startMs = dueMs - neededMs;
    critical = now > dueMs - tuning.stretch * neededMs;
  } else {
    const nextMs = request.tokenDueMs(request.generated);
    dueMs = without.has('just-enough') ? request.arrivalMs + stream.ttft : nextMs;
    startMs = nextMs - prefillMs - pace.tokenMs;
    critical = startMs - now < tuning.slackSteps * pace.tokenMs;
  }
  critical &&= !without.has('critical-first');
  const first = light && inRush(startMs, on);
  return { request, job, dueMs, startMs, critical, first };
}

/** So few steps of slack are left that a step may be longer for it. */
export function inRush(startMs: number, { now, pace, tuning }: Circumstances): boolean {
  return startMs < now + tuning.rushSteps * pace.tokenMs;
}

/**
 * Earliest obligation first, but what has no slack left before what has, whatever its deadline: with
 * several places a long chain of stages is lost if it always waits for the shorter ones (EDZL: Lee,
 * "On-line Multiprocessor Scheduling Algorithms for Real-Time Tasks", TENCON '94).
 */
export function inDeadlineOrder(a: Task, b: Task): number {
  if (a.first !== b.first) return a.first ? -1 : 1;
  if (a.critical !== b.critical) return a.critical ? -1 : 1;
  // Signs, not differences: a fraction returned would be an object to collect.
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs ? -1 : 1;
  return a.request.order - b.request.order;
}

/** Densest first. */
export function inDensityOrder(a: Task, b: Task): number {
  const [one, other] = [a.job.appraisal.density, b.job.appraisal.density];
  if (one !== other) return one > other ? -1 : 1;
  return a.request.order - b.request.order;
}

/** The numbers that explain a decision. */
export function numbersOf({ job, startMs }: Task, { now }: Circumstances) {
  return {
    slackMs: Number.isFinite(startMs) ? startMs - now : undefined,
    density: job.appraisal.density,
    remainingTokens: Math.round(job.appraisal.tokens),
  };
}

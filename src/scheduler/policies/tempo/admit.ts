import type { EngineCapacity } from '../../executor';
import type { PlanBuilder } from '../../plan';
import type { Reason } from '../../request';
import type { Circumstances } from './appraise';
import type { DemandBound } from './demand-bound';
import type { Job } from './job';
import { inDeadlineOrder, taskOf } from './order';

/**
 * Who is promised service. Promises are made to jobs in the order in which they are offered, as long as
 * all can be kept: the work that is due by every horizon fits into the time until then, and what they will
 * fill fits into the pages. Found out anew in rounds; between two, newcomers are taken in as they come.
 */
export class Admission {
  /** The next round is due then, ms. */
  untilMs: number;
  /** Jobs whose promises can all be kept. */
  readonly promised = new Set<Job>();
  /** Jobs of apps that ask for less than their share. */
  readonly light: Set<Job>;
  /** Some job was turned away for lack of capacity. */
  refused = false;
  /** Pages that the promised will not need. */
  freePages: number;
  readonly #bound: DemandBound;
  readonly #pageSize: number;
  readonly #turnedAway = new Map<Job, Reason>();
  /** Promised jobs without pages as they were to begin at the round, and those that came since. */
  #next: readonly Job[] = [];
  readonly #newcomers = new Set<Job>();

  constructor(light: Set<Job>, bound: DemandBound, capacity: EngineCapacity, on: Circumstances) {
    this.light = light;
    this.#bound = bound;
    this.#pageSize = capacity.pageSize;
    this.freePages = capacity.totalPages;
    this.untilMs = on.now + on.tuning.slackSteps * on.pace.tokenMs;
  }

  /** A round: all that may be promised something, in order. */
  offerAll(jobs: Iterable<Job>, on: Circumstances): void {
    for (const job of jobs) if (!job.bestEffort) this.#offer(job, on);
    const waiting = [...this.promised].filter((job) => !job.resident);
    const tasks = waiting.flatMap((job) =>
      job.calls.map((call) => taskOf(call, job, this.light.has(job), on)),
    );
    this.#next = [...new Set(tasks.sort(inDeadlineOrder).map(({ job }) => job))];
  }

  /** One that has come since, or whose next call has. A round is due for one who would take another's place, and for many. */
  join(job: Job, on: Circumstances): void {
    if (!this.promised.has(job)) this.#offer(job, on);
    this.#newcomers.add(job);
    const passes = !this.promised.has(job) && job.appraisal.chance >= on.tuning.hopeless;
    if (passes || this.#newcomers.size > on.tuning.considered / 8) this.untilMs = on.now;
  }

  leave(job: Job): void {
    this.promised.delete(job);
    this.#turnedAway.delete(job);
    this.#newcomers.delete(job);
  }

  /** Promised jobs without pages that may begin now: the first `count`, and the newcomers. */
  next(count: number): Job[] {
    const jobs = [...this.#newcomers].filter((job) => !job.resident && this.promised.has(job));
    for (const job of this.#next) {
      if (jobs.length >= count) break;
      if (!job.resident && job.calls.length > 0 && !this.#newcomers.has(job)) jobs.push(job);
    }
    return jobs;
  }

  /** Says why to those who were turned away. */
  explain(builder: PlanBuilder): void {
    for (const [job, why] of this.#turnedAway) {
      if (job.resident) continue;
      const { density, tokens } = job.appraisal;
      const numbers = { density, remainingTokens: Math.round(tokens) };
      for (const call of job.calls) builder.skip(call, why, numbers);
    }
  }

  #offer(job: Job, { tuning, without }: Circumstances): void {
    const { demand, chance, late } = job.appraisal;
    const pages = job.pages(this.#pageSize);
    let why: Reason = 'not-admitted';
    if (chance < tuning.hopeless) {
      why = 'hopeless';
    } else if (pages <= this.freePages || this.promised.size === 0) {
      if (this.#bound.take(demand) || without.has('admission')) {
        this.promised.add(job);
        this.freePages -= pages;
        return;
      }
      // A late stream is never promised anything by then; it does not mean that others were.
      this.refused ||= !late;
    }
    this.#turnedAway.set(job, why);
  }
}

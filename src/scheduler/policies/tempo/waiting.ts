import { Sorted } from '../../sorted';
import type { Job } from './job';

/**
 * Jobs without pages. The patient, who need not begin within the demand bound's reach, only wait until
 * they need to. The others are found by rank, of all apps or of one.
 */
export class Waiting {
  /** All of them, by the time at which they have to begin. */
  readonly #byStart = new Sorted<Job>();
  /** Those that are not patient. */
  readonly #byRank = new Sorted<Job>();
  readonly #byApp = new Map<string, Sorted<Job>>();
  /** Who has to begin by then is patient no more, ms. */
  #reachedMs = Number.NEGATIVE_INFINITY;

  /** Files an appraised job, wherever it was before. Who need not begin before `reachMs` is patient. */
  put(job: Job, reachMs: number): void {
    const { costMs, demand, rank } = job.appraisal;
    this.#byStart.put(job, demand.fromMs, costMs);
    if (demand.fromMs > reachMs) {
      this.#removeRanked(job);
      return;
    }
    this.#byRank.put(job, -rank, costMs);
    let own = this.#byApp.get(job.app);
    if (own === undefined) {
      own = new Sorted();
      this.#byApp.set(job.app, own);
    }
    own.put(job, -rank);
  }

  remove(job: Job): void {
    this.#byStart.remove(job);
    this.#removeRanked(job);
  }

  /**
   * GPU time of those that come before a job, here or about to be, ms: by rank, and the patient after
   * all others in the order in which they have to begin. What one takes is taken for the mean.
   */
  beforeMs(job: Job, reachMs: number): number {
    const { demand, rank } = job.appraisal;
    if (demand.fromMs > reachMs) {
      return this.#byStart.meanWeight * this.#byStart.before(job, demand.fromMs);
    }
    return this.#byRank.meanWeight * this.#byRank.before(job, -rank);
  }

  /** The `count` of highest rank, of one app or of all. */
  densest(count: number, app?: string): Job[] {
    const list = app === undefined ? this.#byRank : this.#byApp.get(app);
    return list?.first(count) ?? [];
  }

  /** The `count` of the patient who have to begin first. */
  leastPatient(count: number): Job[] {
    return this.#byStart.first(count, this.#reachedMs);
  }

  /** Of the patient, `count` at most who are not any more, now that they have to begin before `reachMs`. */
  advance(count: number, reachMs: number): void {
    const jobs = this.#byStart.first(count, this.#reachedMs, reachMs);
    const last = jobs.length < count ? undefined : jobs.at(-1);
    this.#reachedMs = last?.appraisal.demand.fromMs ?? reachMs;
    for (const job of jobs) this.put(job, reachMs);
  }

  #removeRanked(job: Job): void {
    if (!this.#byRank.has(job)) return;
    this.#byRank.remove(job);
    const own = this.#byApp.get(job.app);
    own?.remove(job);
    if (own?.length === 0) this.#byApp.delete(job.app);
  }
}

import { Sorted } from '../../sorted';
import type { Job } from './job';

/**
 * Jobs without pages. The patient, who need not begin within the demand bound's reach, only wait until
 * they need to. The others are found by rank, of all apps or of one.
 */
export class Waiting {
  /** By the time at which they have to begin. */
  readonly #patient = new Sorted<Job>();
  readonly #byRank = new Sorted<Job>();
  readonly #byApp = new Map<string, Sorted<Job>>();

  /** Files an appraised job, wherever it was before. Who need not begin before `reachMs` is patient. */
  put(job: Job, reachMs: number): void {
    const { costMs, demand, rank } = job.appraisal;
    if (demand.fromMs > reachMs) {
      this.#removeRanked(job);
      this.#patient.put(job, demand.fromMs, costMs);
      return;
    }
    this.#patient.remove(job);
    this.#byRank.put(job, -rank, costMs);
    let own = this.#byApp.get(job.app);
    if (own === undefined) {
      own = new Sorted();
      this.#byApp.set(job.app, own);
    }
    own.put(job, -rank);
  }

  remove(job: Job): void {
    this.#patient.remove(job);
    this.#removeRanked(job);
  }

  /**
   * GPU time of those that come before a job, here or about to be, ms: by rank, and the patient after
   * all others in the order in which they have to begin. What one takes is taken for the mean.
   */
  beforeMs(job: Job, reachMs: number): number {
    const { demand, rank } = job.appraisal;
    const isPatient = demand.fromMs > reachMs;
    const ranked = isPatient ? this.#byRank.length : this.#byRank.before(job, -rank);
    const patient = isPatient ? this.#patient.before(job, demand.fromMs) : 0;
    return ranked * this.#byRank.meanWeight + patient * this.#patient.meanWeight;
  }

  /** Those that are not patient. */
  get impatient(): number {
    return this.#byRank.length;
  }

  /** The `count` of highest rank, of one app or of all. */
  densest(count: number, app?: string): Job[] {
    const list = app === undefined ? this.#byRank : this.#byApp.get(app);
    return list?.first(count) ?? [];
  }

  /** The `count` of the patient who have to begin first. */
  leastPatient(count: number): Job[] {
    return this.#patient.first(count);
  }

  /** Of the patient, `count` at most are not any more, now that they have to begin before `reachMs`. */
  advance(count: number, reachMs: number): void {
    for (const job of this.#patient.first(count, reachMs)) this.put(job, reachMs);
  }

  #removeRanked(job: Job): void {
    if (!this.#byRank.has(job)) return;
    this.#byRank.remove(job);
    const own = this.#byApp.get(job.app);
    own?.remove(job);
    if (own?.length === 0) this.#byApp.delete(job.app);
  }
}

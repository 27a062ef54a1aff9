import { Sorted } from '../../sorted';
import type { Job } from './job';

/**
 * Jobs without pages. The patient, who need not begin within the demand bound's reach, only wait
 * until they need to. The others are found by rank, of all apps or of one.
 */
export class Waiting {
  readonly #patient = new Sorted<Job>();
  readonly #byRank = new Sorted<Job>();
  readonly #byApp = new Map<string, Sorted<Job>>();
  /** GPU time of each as it was filed, and of the patient and the others in all, ms. */
  readonly #costs = new Map<Job, number>();
  #patientMs = 0;
  #otherMs = 0;
  #cursor = 0;

  /** Files an appraised job, wherever it was before. Who need not begin before `reachMs` is patient. */
  put(job: Job, reachMs: number): void {
    const { costMs, demand, rank } = job.appraisal;
    if (demand.fromMs > reachMs) {
      this.remove(job);
      this.#patient.put(job, demand.fromMs);
      this.#costs.set(job, costMs);
      this.#patientMs += costMs;
      return;
    }
    this.#forget(job);
    this.#patient.remove(job);
    this.#costs.set(job, costMs);
    this.#otherMs += costMs;
    this.#byRank.put(job, -rank);
    const own = this.#byApp.get(job.app) ?? new Sorted();
    this.#byApp.set(job.app, own);
    own.put(job, -rank);
  }

  remove(job: Job): void {
    this.#forget(job);
    for (const list of [this.#patient, this.#byRank]) list.remove(job);
    const own = this.#byApp.get(job.app);
    own?.remove(job);
    if (own?.length === 0) this.#byApp.delete(job.app);
  }

  /**
   * GPU time of those that come before a job, here or about to be, ms: by rank, and the patient after
   * all others in the order in which they have to begin. What one takes is taken for the mean.
   */
  beforeMs(job: Job, reachMs: number): number {
    const { demand, rank } = job.appraisal;
    if (demand.fromMs <= reachMs) {
      return meanMs(this.#otherMs, this.#byRank) * this.#byRank.before(job, -rank);
    }
    const patientMs = meanMs(this.#patientMs, this.#patient);
    return Math.max(0, this.#otherMs) + patientMs * this.#patient.before(job, demand.fromMs);
  }

  #forget(job: Job): void {
    const costMs = this.#costs.get(job);
    if (costMs === undefined) return;
    this.#costs.delete(job);
    if (this.#patient.has(job)) this.#patientMs -= costMs;
    else this.#otherMs -= costMs;
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

  /** The next `count` in a round over all that are not patient. */
  next(count: number): Job[] {
    const { length } = this.#byRank;
    return Array.from({ length: Math.min(count, length) }, () => {
      this.#cursor = (this.#cursor + 1) % length;
      return this.#byRank.at(this.#cursor);
    });
  }
}

/** What one of a list takes, ms. Sums of differences may end a little below 0. */
function meanMs(sumMs: number, { length }: Sorted<Job>): number {
  return Math.max(0, sumMs) / Math.max(1, length);
}

/** Highest rank first. Signs, not differences: a fraction returned would be an object to collect. */
export function byRank(a: Job, b: Job): number {
  if (a.appraisal.rank !== b.appraisal.rank) return a.appraisal.rank > b.appraisal.rank ? -1 : 1;
  return a.order - b.order;
}

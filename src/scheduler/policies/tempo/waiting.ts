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
  #cursor = 0;

  /** Files an appraised job, wherever it was before. Who need not begin before `reachMs` is patient. */
  put(job: Job, reachMs: number): void {
    const { demand, rank } = job.appraisal;
    if (demand.fromMs > reachMs) {
      this.remove(job);
      this.#patient.put(job, demand.fromMs);
      return;
    }
    this.#patient.remove(job);
    this.#byRank.put(job, -rank);
    const own = this.#byApp.get(job.app) ?? new Sorted();
    this.#byApp.set(job.app, own);
    own.put(job, -rank);
  }

  remove(job: Job): void {
    for (const list of [this.#patient, this.#byRank]) list.remove(job);
    const own = this.#byApp.get(job.app);
    own?.remove(job);
    if (own?.length === 0) this.#byApp.delete(job.app);
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

/** Highest rank first. Signs, not differences: a fraction returned would be an object to collect. */
export function byRank(a: Job, b: Job): number {
  if (a.appraisal.rank !== b.appraisal.rank) return a.appraisal.rank > b.appraisal.rank ? -1 : 1;
  return a.order - b.order;
}

import type { Job } from './job';

/** Jobs in order of rank, densest first: binary search to find, one move to insert or remove. */
export class WaitingIndex {
  readonly #jobs: Job[] = [];

  get length(): number {
    return this.#jobs.length;
  }

  at(index: number): Job {
    return this.#jobs[index];
  }

  insert(job: Job): void {
    if (job.indexKey !== undefined) return;
    job.indexKey = job.rank;
    this.#jobs.splice(this.#find(job), 0, job);
  }

  remove(job: Job): void {
    if (job.indexKey === undefined) return;
    const at = this.#find(job);
    if (this.#jobs[at] === job) this.#jobs.splice(at, 1);
    job.indexKey = undefined;
  }

  /** Moves a job to where its rank belongs now, if it has changed much. Returns whether it moved. */
  update(job: Job): boolean {
    const key = job.indexKey;
    if (key === undefined || Math.abs(job.rank - key) <= 0.02 * key) return false;
    this.remove(job);
    this.insert(job);
    return true;
  }

  /** The first place whose job does not come before this one. */
  #find(job: Job): number {
    const key = job.indexKey ?? job.rank;
    let low = 0;
    let high = this.#jobs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#jobs[middle];
      const otherKey = other.indexKey ?? 0;
      if (otherKey > key || (otherKey === key && other.order < job.order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

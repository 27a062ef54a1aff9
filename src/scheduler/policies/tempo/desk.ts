import type { Program } from '../../program';
import type { Request } from '../../request';
import { appraise, type Circumstances } from './appraise';
import { Job } from './job';
import type { AppShares } from './shares';
import { byRank, Waiting } from './waiting';

/** The jobs that there are, with their appraisals: who holds pages, who waits, and who is in no hurry. */
export class Desk {
  /** Jobs with pages, highest rank first. */
  residents: readonly Job[] = [];
  readonly waiting = new Waiting();
  readonly #jobs = new Map<Request | Program, Job>();
  #round = this.#jobs.values();
  readonly #background = new Set<Job>();
  readonly #apps: AppShares;
  readonly #reachMs: number;

  /** `reachMs`: who need not begin for so long waits apart. */
  constructor(apps: AppShares, reachMs: number) {
    this.#apps = apps;
    this.#reachMs = reachMs;
  }

  get anyBackground(): boolean {
    return this.#background.size > 0;
  }

  /** The first `count` best-effort jobs. */
  background(count: number): Job[] {
    const jobs: Job[] = [];
    for (const job of this.#background) {
      if (jobs.length >= count) break;
      jobs.push(job);
    }
    return jobs;
  }

  /** The job that a request belongs to, or would be if it were queued now. */
  jobOf(request: Request, on: Circumstances): Job {
    const known = this.#jobs.get(keyOf(request));
    if (known !== undefined) return known;
    const job = new Job(request);
    job.calls.push(request);
    job.appraisal = appraise(job, on);
    return job;
  }

  /** Whether a job is here, and not only what one would be. */
  has(job: Job): boolean {
    return this.#jobs.get(job.program ?? job.calls[0]) === job;
  }

  add(request: Request, on: Circumstances): Job {
    const key = keyOf(request);
    const job = this.#jobs.get(key) ?? new Job(request);
    this.#jobs.set(key, job);
    job.calls.push(request);
    this.#apps.submitted(request.app);
    // One that has pages already may lose them before the first plan.
    if (job.resident && !this.residents.includes(job)) this.residents = [...this.residents, job];
    this.#appraise(job, on);
    if (job.bestEffort) this.#background.add(job);
    return job;
  }

  remove(request: Request): void {
    const key = keyOf(request);
    const job = this.#jobs.get(key);
    const at = job?.calls.indexOf(request) ?? -1;
    if (job === undefined || at < 0) return;
    job.calls.splice(at, 1);
    job.moved = true;
    this.#apps.ended(request.app);
    if (job.calls.length > 0) return;
    if (!job.bestEffort) this.#apps.needs(job.app, -job.appraisal.costMs);
    this.waiting.remove(job);
    this.#background.delete(job);
    this.#jobs.delete(key);
  }

  /** Something of the request was computed that its job's appraisal did not expect. */
  moved(request: Request): void {
    const job = this.#jobs.get(keyOf(request));
    if (job !== undefined) job.moved = true;
  }

  /**
   * Brings it up to date: who holds pages now, and what is thought of them, of the likeliest to be
   * next, and of a few others in turn.
   */
  refresh(resident: readonly Request[], on: Circumstances): void {
    const jobs = new Set<Job>();
    for (const request of resident) {
      const job = this.#jobs.get(keyOf(request));
      if (job !== undefined) jobs.add(job);
    }
    for (const job of this.residents) {
      if (!jobs.has(job) && job.calls.length > 0) this.#appraise(job, on);
    }
    for (const job of jobs) {
      this.waiting.remove(job);
      if (isStale(job, on)) this.#appraise(job, on);
    }
    this.residents = [...jobs].sort(byRank);
    const { considered } = on.tuning;
    const few = considered / 8;
    const reachMs = on.now + this.#reachMs;
    const due = this.waiting
      .leastPatient(few)
      .filter((job) => job.appraisal.demand.fromMs <= reachMs);
    this.#again(due, few, on);
    this.#again(this.waiting.densest(considered), 2 * few, on);
    this.#again(this.#next(few), few, on);
  }

  /** The next `count` in a round over all. */
  #next(count: number): Job[] {
    const jobs: Job[] = [];
    for (let i = 0; i < count; i++) {
      const { value } = this.#round.next();
      if (value === undefined) {
        this.#round = this.#jobs.values();
        break;
      }
      if (!value.bestEffort && !value.resident) jobs.push(value);
    }
    return jobs;
  }

  #again(jobs: readonly Job[], limit: number, on: Circumstances): void {
    let left = limit;
    for (const job of jobs) {
      if (left < 1) return;
      if (!isStale(job, on)) continue;
      this.#appraise(job, on);
      left--;
    }
  }

  #appraise(job: Job, on: Circumstances): void {
    const before = job.appraisal?.costMs ?? 0;
    job.appraisal = appraise(job, on);
    job.moved = false;
    if (job.bestEffort) return;
    this.#apps.needs(job.app, job.appraisal.costMs - before);
    if (!job.resident) this.waiting.put(job, on.now + this.#reachMs);
  }
}

function isStale(job: Job, on: Circumstances): boolean {
  return job.moved || on.now >= job.appraisal.validMs;
}

function keyOf(request: Request): Request | Program {
  return request.slo.class === 'program' && request.program !== undefined
    ? request.program
    : request;
}

import type { Program } from '../../program';
import type { Request } from '../../request';
import { appraise, type Circumstances } from './appraise';
import { Job } from './job';
import type { AppShares } from './shares';
import { Waiting } from './waiting';

/** The jobs that there are, with their appraisals: who holds pages, who waits, and who is in no hurry. */
export class Desk {
  readonly waiting = new Waiting();
  /** Best-effort jobs in order of arrival, with pages or without. */
  readonly background = new Set<Job>();
  readonly #apps: AppShares;
  /** Who need not begin for so long waits apart, ms. */
  readonly #reachMs: number;
  readonly #jobs = new Map<Request | Program, Job>();
  #residents = new Set<Job>();
  #round = this.#jobs.values();

  constructor(apps: AppShares, reachMs: number) {
    this.#apps = apps;
    this.#reachMs = reachMs;
  }

  /** Jobs with pages, best-effort ones included. */
  get residents(): ReadonlySet<Job> {
    return this.#residents;
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
    if (job.resident) this.#residents.add(job);
    if (job.bestEffort) this.background.add(job);
    this.#appraise(job, on);
    return job;
  }

  /** Returns the job that has nothing left to do, if it was its last. */
  remove(request: Request): Job | undefined {
    const key = keyOf(request);
    const job = this.#jobs.get(key);
    const at = job?.calls.indexOf(request) ?? -1;
    if (job === undefined || at < 0) return undefined;
    job.calls.splice(at, 1);
    job.moved = true;
    this.#apps.ended(request.app);
    if (job.calls.length > 0) return undefined;
    if (!job.bestEffort) this.#apps.needs(job.app, -job.appraisal.costMs);
    this.waiting.remove(job);
    this.background.delete(job);
    this.#jobs.delete(key);
    return job;
  }

  /** Something of the request was computed that its job's appraisal did not expect. */
  moved(request: Request): void {
    const job = this.#jobs.get(keyOf(request));
    if (job !== undefined) job.moved = true;
  }

  /**
   * Brings it up to date: who holds pages now, and what is thought of them, of the likeliest to be
   * next, and of a few others in turn. Returns whether somebody has lost its pages.
   */
  refresh(resident: readonly Request[], on: Circumstances): boolean {
    const before = this.#residents;
    this.#residents = new Set();
    for (const request of resident) {
      const job = this.#jobs.get(keyOf(request));
      if (job !== undefined) this.#residents.add(job);
    }
    let lost = false;
    for (const job of before) {
      if (this.#residents.has(job) || job.calls.length === 0) continue;
      this.#appraise(job, on);
      lost = true;
    }
    for (const job of this.#residents) {
      if (!before.has(job)) this.waiting.remove(job);
      if (isStale(job, on)) this.#appraise(job, on);
    }
    const { considered } = on.tuning;
    const few = considered / 16;
    this.waiting.advance(few, on.now + this.#reachMs);
    this.#again(this.waiting.densest(considered), few, on);
    this.#again(this.#next(few), few, on);
    return lost;
  }

  /** Some `count` in a round over all. */
  #next(count: number): Job[] {
    const jobs: Job[] = [];
    for (let i = 0; i < count; i++) {
      const { value: job } = this.#round.next();
      if (job === undefined) {
        this.#round = this.#jobs.values();
        break;
      }
      if (!job.resident) jobs.push(job);
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

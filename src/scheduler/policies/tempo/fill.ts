import type { PlanBuilder } from '../../plan';
import { pendingPrompt } from '../../predict/pace';
import type { Reason, Request } from '../../request';
import type { SchedulerView } from '../../view';
import type { Admission } from './admit';
import type { Circumstances } from './appraise';
import { Chunks } from './chunks';
import type { Desk } from './desk';
import { makeRoom } from './evict';
import type { Job } from './job';
import { inDeadlineOrder, inDensityOrder, numbersOf, type Task, taskOf } from './order';

type Kind = 'decode' | 'prefill';

/** Fills one step: what is promised in deadline order, elastic under the tightest TBT, then the rest. */
export class Step {
  readonly #view: SchedulerView;
  readonly #builder: PlanBuilder;
  readonly #on: Circumstances;
  readonly #desk: Desk;
  readonly #admission: Admission;
  readonly #promised: Task[] = [];
  /** What was promised nothing of jobs that hold pages, densest first. */
  readonly #spare: Task[] = [];
  /** Most places and pages are free: nobody has to wait for another. */
  readonly #roomy: boolean;
  readonly #chunks: Chunks;
  /** The one kind of work that this step may hold, where the engine cannot mix them. */
  #kind: Kind | undefined;
  /** Pages that nobody with pages or a promise will need. */
  #freePages: number;

  constructor(
    view: SchedulerView,
    builder: PlanBuilder,
    on: Circumstances,
    desk: Desk,
    admission: Admission,
  ) {
    this.#view = view;
    this.#builder = builder;
    this.#on = on;
    this.#desk = desk;
    this.#admission = admission;
    this.#freePages = admission.freePages;
    for (const job of desk.residents) {
      if (admission.promised.has(job)) this.#promise(job);
      else this.#spareOf(job);
    }
    for (const job of admission.next(on.tuning.considered / 2)) this.#promise(job);
    const inOrder = on.without.has('deadline-order') ? inDensityOrder : inDeadlineOrder;
    this.#promised.sort(inOrder);
    this.#spare.sort(inDensityOrder);
    const streams = this.#promised.filter(({ request }) => kindOf(request) === 'decode');
    const guardMs = this.#tightest(streams);
    const { totalPages } = view.capacity;
    this.#roomy = 2 * view.resident.length < builder.maxBatch && 2 * builder.freePages > totalPages;
    this.#chunks = new Chunks(view, builder, on, streams.length, this.#roomy, guardMs);
    if (!view.capabilities.mixedSteps) this.#kind = this.#chooseKind(streams.length, guardMs);
  }

  /** `owed`: best-effort work is owed time. */
  fill(owed: boolean): void {
    if (owed) this.#serveOwed();
    this.#servePromised();
    if (this.#builder.batch === 0 && this.#kind !== undefined) {
      // None of that kind could be served.
      this.#kind = this.#kind === 'prefill' ? 'decode' : 'prefill';
      this.#servePromised();
    }
    const lull = !this.#admission.refused || this.#builder.batch === 0 || this.#roomy;
    for (const task of this.#spare) {
      if (task.request.resident || lull) this.#serve(task, 'density');
    }
    if (lull) this.#soakUp();
  }

  #promise(job: Job): void {
    for (const request of job.calls) this.#promised.push(this.#task(request, job));
  }

  #spareOf(job: Job): void {
    this.#freePages -= job.pages(this.#view.capacity.pageSize);
    for (const request of job.calls) this.#spare.push(this.#task(request, job));
  }

  #task(request: Request, job: Job): Task {
    return taskOf(request, job, this.#admission.light.has(job), this.#on);
  }

  /** When the first stream that is not late already needs its next token, ms. */
  #tightest(streams: readonly Task[]): number {
    const { now, pace } = this.#on;
    return streams.reduce((guardMs, { request }) => {
      const nextMs = request.tokenDueMs(request.generated);
      return nextMs < now + pace.baseMs ? guardMs : Math.min(guardMs, nextMs);
    }, Number.POSITIVE_INFINITY);
  }

  /** Prompts while there are places for those who come from them and the streams can spare the time. */
  #chooseKind(ready: number, guardMs: number): Kind | undefined {
    const prompt = this.#promised.find(({ request }) => kindOf(request) === 'prefill');
    if (prompt === undefined) return ready > 0 ? 'decode' : undefined;
    if (ready === 0) return 'prefill';
    const { request } = prompt;
    if (!request.resident && this.#builder.freeSequences <= 0) return 'decode';
    if (ready >= this.#builder.maxBatch && prompt !== this.#promised[0]) return 'decode';
    const { now, pace } = this.#on;
    const tokens = this.#view.capabilities.continuedPrefill ? 1 : pendingPrompt(request);
    const promptMs = Math.max(pace.baseMs, tokens * pace.prefillMs);
    return now + promptMs + pace.tokenMs <= guardMs ? 'prefill' : 'decode';
  }

  #servePromised(): void {
    for (const task of this.#promised) {
      this.#serve(task, task.critical ? 'critical' : 'on-schedule');
    }
  }

  /** Best-effort work that is owed time goes first, one sequence at a time. */
  #serveOwed(): void {
    for (const job of this.#desk.background) {
      if (this.#builder.batch > 0) return;
      this.#serve(this.#task(job.calls[0], job), 'fair-share');
    }
  }

  /** What nobody promised anything begins where it can stay to its end. */
  #soakUp(): void {
    const builder = this.#builder;
    const { considered } = this.#on.tuning;
    const full = () =>
      builder.batch >= builder.maxBatch || builder.freeSequences <= 0 || this.#chunks.spent;
    if (full() || (this.#kind === 'decode' && builder.batch > 0)) return;
    const { waiting, background } = this.#desk;
    for (const jobs of [
      waiting.densest(considered),
      waiting.leastPatient(considered),
      background,
    ]) {
      let looked = 0;
      for (const job of jobs) {
        if (full()) return;
        if (looked++ >= considered) break;
        if (!this.#admission.promised.has(job)) this.#begin(job);
      }
    }
  }

  #begin(job: Job): void {
    const pages = job.pages(this.#view.capacity.pageSize);
    // Alone it may take what there is.
    if (job.resident || (pages > this.#freePages && this.#builder.batch > 0)) return;
    const before = this.#builder.batch;
    for (const request of job.calls) this.#serve(this.#task(request, job), 'density');
    if (this.#builder.batch > before) this.#freePages -= pages;
  }

  #serve(task: Task, reason: Reason): void {
    const { request } = task;
    const builder = this.#builder;
    if (builder.batch >= builder.maxBatch || builder.has(request)) return;
    const decodes = kindOf(request) === 'decode';
    const numbers = numbersOf(task, this.#on);
    if (this.#kind !== undefined && decodes !== (this.#kind === 'decode')) {
      builder.skip(request, 'step-kind', numbers);
      return;
    }
    const pressing = reason === 'critical' || reason === 'fair-share' || builder.batch === 0;
    const maxTokens = decodes
      ? Number(pressing || this.#chunks.fitsDecode(request))
      : this.#chunks.tokensFor(task);
    if (maxTokens < 1) {
      const spent = !decodes && this.#chunks.spent;
      builder.skip(request, spent ? 'prefill-budget' : 'tbt-guard', numbers);
      return;
    }
    if (this.#admission.promised.has(task.job)) {
      makeRoom(task, maxTokens, builder, this.#promised, this.#spare, this.#on);
    }
    const options = { maxTokens, makeRoom: request.resident && builder.batch === 0 };
    const taken = builder.add(request, reason, numbers, options);
    if (taken > 0 && decodes) this.#chunks.decoded(request);
    else if (taken > 0) this.#chunks.prefilled(request, taken);
  }
}

function kindOf(request: Request): Kind {
  return request.resident && request.decoding ? 'decode' : 'prefill';
}

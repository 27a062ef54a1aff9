import type { PlanBuilder } from '../../plan';
import { pendingPrompt } from '../../predict/pace';
import type { Reason, Request } from '../../request';
import type { SchedulerView } from '../../view';
import type { Admission } from './admit';
import type { Circumstances } from './appraise';
import { Chunks } from './chunks';
import { makeRoom } from './evict';
import type { Job } from './job';
import { inDeadlineOrder, inDensityOrder, numbersOf, type Task, taskOf } from './order';

type Kind = 'decode' | 'prefill';

/** What a step is filled from. */
export interface Selection {
  /** Jobs that hold pages, best-effort ones included. */
  readonly residents: readonly Job[];
  readonly admission: Admission;
  /** Jobs of apps that ask for less than their share. */
  readonly light: ReadonlySet<Job>;
  /** Best-effort work is owed time. */
  readonly owed: boolean;
  /** Best-effort jobs in order of arrival, with pages or without. */
  readonly background: () => readonly Job[];
  /** Other jobs without pages, as they are to be looked at for what is left. */
  readonly others: () => readonly Job[];
}

/** Fills one step: what is promised in deadline order, elastic under the tightest TBT, then the rest. */
export class Step {
  readonly #view: SchedulerView;
  readonly #builder: PlanBuilder;
  readonly #on: Circumstances;
  readonly #selection: Selection;
  readonly #promised: Task[] = [];
  /** Residents that were promised nothing, densest first. */
  readonly #spare: Task[] = [];
  readonly #chunks: Chunks;
  /** The one kind of work that this step may hold, where the engine cannot mix them. */
  #kind: Kind | undefined;
  /** Pages that nobody with pages or a promise will need. */
  #freePages: number;

  constructor(view: SchedulerView, builder: PlanBuilder, on: Circumstances, selection: Selection) {
    this.#view = view;
    this.#builder = builder;
    this.#on = on;
    this.#selection = selection;
    const { promised, freePages } = selection.admission;
    this.#freePages = freePages;
    for (const job of promised) {
      for (const request of job.calls) this.#promised.push(this.#task(request, job));
    }
    for (const job of selection.residents) {
      if (promised.has(job)) continue;
      this.#freePages -= job.pages(view.capacity.pageSize);
      for (const request of job.calls) {
        if (request.resident) this.#spare.push(this.#task(request, job));
      }
    }
    if (!on.without.has('deadline-order')) this.#promised.sort(inDeadlineOrder);
    this.#spare.sort(inDensityOrder);
    const streams = this.#promised.filter(({ request }) => kindOf(request) === 'decode');
    const guardMs = this.#tightest(streams);
    this.#chunks = new Chunks(view, builder, on, streams.length, guardMs);
    if (!view.capabilities.mixedSteps) this.#kind = this.#chooseKind(streams.length, guardMs);
  }

  fill(): void {
    if (this.#selection.owed) this.#serveOwed();
    this.#servePromised();
    if (this.#builder.batch === 0 && this.#kind !== undefined) {
      // None of that kind could be served.
      this.#kind = this.#kind === 'prefill' ? 'decode' : 'prefill';
      this.#servePromised();
    }
    for (const task of this.#spare) this.#serve(task, 'density');
    if (!this.#selection.admission.refused || this.#builder.batch === 0) this.#soakUp();
  }

  #task(request: Request, job: Job): Task {
    return taskOf(request, job, this.#selection.light.has(job), this.#on);
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
    const { capabilities } = this.#view;
    if (!request.resident && this.#builder.freeSequences <= 0) return 'decode';
    if (ready >= this.#builder.maxBatch && prompt !== this.#promised[0]) return 'decode';
    const { now, pace } = this.#on;
    const tokens = capabilities.continuedPrefill ? 1 : pendingPrompt(request);
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
    for (const job of this.#selection.background()) {
      if (this.#builder.batch > 0) return;
      this.#serve(this.#task(job.calls[0], job), 'fair-share');
    }
  }

  /** What nobody promised anything begins where it can stay to its end. */
  #soakUp(): void {
    const builder = this.#builder;
    if (this.#chunks.spent || (this.#kind === 'decode' && builder.batch > 0)) return;
    for (const job of [...this.#selection.others(), ...this.#selection.background()]) {
      if (builder.batch >= builder.maxBatch || builder.freeSequences <= 0) return;
      if (this.#chunks.spent) return;
      if (!this.#selection.admission.promised.has(job)) this.#begin(job);
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
    const kind = kindOf(request);
    if (this.#kind !== undefined && this.#kind !== kind) {
      builder.skip(request, 'step-kind', numbersOf(task, this.#on));
    } else if (kind === 'decode') {
      this.#decode(task, reason);
    } else {
      this.#prompt(task, reason);
    }
  }

  #decode(task: Task, reason: Reason): void {
    const { request } = task;
    const builder = this.#builder;
    const urgent = reason === 'critical' || reason === 'fair-share';
    if (!urgent && builder.batch > 0 && !this.#chunks.fitsDecode(request)) {
      builder.skip(request, 'tbt-guard', numbersOf(task, this.#on));
      return;
    }
    this.#makeRoom(task, 1);
    const options = { makeRoom: builder.batch === 0 };
    const taken = builder.add(request, reason, numbersOf(task, this.#on), options);
    if (taken > 0) this.#chunks.decoded(request);
  }

  #prompt(task: Task, reason: Reason): void {
    const { request } = task;
    const builder = this.#builder;
    const maxTokens = this.#chunks.tokensFor(task);
    if (maxTokens < 1) {
      const why = this.#chunks.spent ? 'prefill-budget' : 'tbt-guard';
      builder.skip(request, why, numbersOf(task, this.#on));
      return;
    }
    this.#makeRoom(task, maxTokens);
    const options = { maxTokens, makeRoom: request.resident && builder.batch === 0 };
    const taken = builder.add(request, reason, numbersOf(task, this.#on), options);
    if (taken > 0) this.#chunks.prefilled(request, taken);
  }

  #makeRoom(task: Task, tokens: number): void {
    if (!this.#selection.admission.promised.has(task.job)) return;
    makeRoom(task, tokens, this.#builder, this.#promised, this.#spare, this.#on);
  }
}

function kindOf(request: Request): Kind {
  return request.resident && request.decoding ? 'decode' : 'prefill';
}

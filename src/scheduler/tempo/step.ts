import type { PlanBuilder } from '../plan';
import type { SchedulerView } from '../policy';
import type { Reason, Request } from '../request';
import { type Circumstances, COMMITMENT, type Job, pendingPrompt, RUSH_CHUNK } from './job';

/** What a step is put together from. */
export interface Selection {
  /** Jobs that hold pages, admitted or not. */
  residents: readonly Job[];
  /** Jobs without pages that were admitted. */
  admitted: readonly Job[];
  /** Best-effort jobs in order of arrival, with pages or without. */
  bestEffort: Iterable<Job>;
  /** Jobs without pages that were not admitted, densest first. */
  others: { readonly length: number; at(index: number): Job };
  /** Density of the densest job that was turned away for lack of capacity; 0 if none was. */
  shadowPrice: number;
  /** GPU time that best-effort work is owed, ms. */
  owedMs: number;
  /** Best-effort work leaves some places free. */
  keepPlaces: boolean;
}

/** A request that could be in the step. */
interface Task {
  request: Request;
  job: Job;
  /** Latest time at which it has to be in a step to keep its next obligation, ms. */
  startMs: number;
  /** When its next obligation is due, ms. */
  dueMs: number;
  /** Little slack is left to it. */
  critical: boolean;
}

/** A stream's next token cannot wait any more when it has fewer steps of slack than this, … */
const CRITICAL_STREAM_STEPS = 4;
/**
 * … an answer or a program when its slack is less than this share of the time left: it takes about
 * twice as long as it would alone, since it waits for places and prompts again at each of its stages.
 */
const CRITICAL_SHARE = 0.5;
/** A request may take the pages of one that has time when it has fewer steps of slack than this. */
const URGENT_STEPS = 24;
/**
 * Prompt tokens that a step takes beyond those that the weights' read hides. Few: prompts spread over
 * many steps cost hardly more than the same prompts in few, and everybody who decodes keeps an even
 * pace. (128 of them, which a server does in 11 ms, take a small GPU 300: three tokens of a stream.)
 */
const CALM_CHUNK = 16;
/** Tokens enough, at the least, that their arithmetic takes so many times a step's fixed cost … */
const WORTH_A_STEP = 2;
/** … but for that reason no more than this: the fixed cost is an estimate. */
const MAX_WORTH_TOKENS = 128;
/** So many prompt tokens more may a first token take when no sequence decodes, in proportion to the slots that are empty. */
const HUNGRY_RUSH_CHUNK = 384;
/** Share of the sequences that best-effort work leaves free for who comes in a hurry. */
const KEPT_FREE = 0.25;
/** Left-over jobs looked at for one step. */
const MAX_LEFT_OVER = 64;

type Kind = 'decode' | 'prefill';

/** Fills one step from what was admitted: in deadline order, elastic under the tightest TBT. */
export class Step {
  readonly #view: SchedulerView;
  readonly #builder: PlanBuilder;
  readonly #on: Circumstances;
  readonly #elastic: boolean;
  /** When the tightest stream that can still be on time needs its next token, ms. */
  #guardMs = Number.POSITIVE_INFINITY;
  #decodes = 0;
  #context = 0;
  #prefill = 0;
  /** Prompt tokens that are in no hurry and that the step may still take. */
  #calmLeft = 0;
  /** Prompt tokens that a rush may take beyond that: a first token that people wait for. */
  #rushLeft = 0;
  /** The one kind of work that this step may hold, where the engine cannot mix them. */
  #kind: Kind | undefined;
  /** Residents that were not admitted, densest first. */
  #spare: Task[] = [];
  /** Everything admitted, in the order it is served. */
  #tasks: Task[] = [];

  constructor(
    view: SchedulerView,
    builder: PlanBuilder,
    on: Circumstances,
    options: { elastic: boolean },
  ) {
    this.#view = view;
    this.#builder = builder;
    this.#on = on;
    this.#elastic = options.elastic;
  }

  fill(selection: Selection): void {
    const builder = this.#builder;
    const tasks = this.#gather(selection);
    this.#tasks = tasks;
    if (!this.#view.capabilities.mixedSteps) this.#kind = this.#chooseKind(tasks);
    if (selection.owedMs > 0) this.#serveOwed(selection.bestEffort);
    for (const task of tasks) {
      if (builder.batch >= builder.maxBatch) break;
      if (this.#kind !== undefined && this.#kind !== kindOf(task.request)) {
        builder.skip(task.request, 'step-kind', this.#numbers(task));
      } else {
        this.#serve(task, task.critical ? 'critical' : 'on-schedule');
      }
    }
    this.#serveSpare(selection.shadowPrice);
    this.#soakUp(selection);
  }

  /** Everything admitted, in the order it is served. */
  #gather({ residents, admitted }: Selection): Task[] {
    const { now, pace } = this.#on;
    const tasks: Task[] = [];
    let ready = 0;
    for (const job of residents) {
      for (const request of job.calls) {
        const task = this.#task(request, job);
        if (!job.admitted) {
          if (request.resident) this.#spare.push(task);
          continue;
        }
        tasks.push(task);
        if (kindOf(request) === 'prefill') continue;
        ready++;
        // A stream that is late already binds nobody.
        const nextMs = request.tokenDueMs(request.generated);
        if (nextMs >= now + pace.baseMs) this.#guardMs = Math.min(this.#guardMs, nextMs);
      }
    }
    for (const job of admitted) {
      for (const request of job.calls) tasks.push(this.#task(request, job));
    }
    tasks.sort(inDeadlineOrder);
    this.#spare.sort(byDensity);
    const empty = Math.max(0, 1 - ready / this.#builder.maxBatch);
    this.#calmLeft = this.#calmChunk(ready, empty);
    this.#rushLeft = RUSH_CHUNK + HUNGRY_RUSH_CHUNK * empty;
    return tasks;
  }

  /**
   * Prompt tokens that are in no hurry, for a step beside `ready` decodes. When places are empty, it
   * may take as much longer as a step without any prompt takes.
   */
  #calmChunk(ready: number, empty: number): number {
    const { baseMs, freeTokens } = this.#view.cost.costs;
    const inBase = baseMs / this.#promptTokenMs;
    const worthIt = WORTH_A_STEP * Math.max(0, inBase - freeTokens);
    const hidden = Math.max(0, freeTokens - ready);
    const full = Math.max(hidden + CALM_CHUNK, Math.min(MAX_WORTH_TOKENS, worthIt) - ready);
    return full + inBase * empty;
  }

  #task(request: Request, job: Job): Task {
    const { now, pace, justEnough } = this.#on;
    const startMs = job.latestStart(request, this.#on);
    const slackMs = startMs - now;
    const stream = request.class === 'latency';
    const dueMs = stream && justEnough ? request.tokenDueMs(request.generated) : job.dueMs(request);
    const critical = stream
      ? slackMs < CRITICAL_STREAM_STEPS * pace.tokenMs
      : slackMs < CRITICAL_SHARE * (dueMs - now);
    return { request, job, startMs, dueMs, critical };
  }

  /** Prompts first while the streams can spare the time, or while one is worth more than what they lose. */
  #chooseKind(tasks: readonly Task[]): Kind | undefined {
    let decodes = 0;
    let prompt: Task | undefined;
    for (const task of tasks) {
      if (kindOf(task.request) === 'decode') decodes++;
      else prompt ??= task;
    }
    if (prompt === undefined) return decodes > 0 ? 'decode' : undefined;
    if (decodes === 0) return 'prefill';
    if (prompt.request.resident === false && this.#builder.freeSequences <= 0) return 'decode';
    const { now, pace } = this.#on;
    const pending = Math.min(pendingPrompt(prompt.request), this.#view.capacity.maxPrefillTokens);
    const promptMs = pace.baseMs + pending * pace.prefillMs;
    if (now + promptMs + pace.tokenMs <= this.#guardMs) return 'prefill';
    return prompt.startMs <= now && this.#worthDelay(prompt, promptMs) ? 'prefill' : 'decode';
  }

  /** Best-effort work that is owed time goes first, one sequence at a time. */
  #serveOwed(bestEffort: Iterable<Job>): void {
    for (const job of bestEffort) {
      const [request] = job.calls;
      if (this.#kind !== undefined && this.#kind !== kindOf(request)) continue;
      this.#serve(this.#task(request, job), 'fair-share');
      if (this.#builder.batch > 0) return;
    }
  }

  /** Residents that were not admitted use what is left, if they do not cost the others more than they earn. */
  #serveSpare(shadowPrice: number): void {
    const builder = this.#builder;
    for (const task of this.#spare) {
      if (builder.batch >= builder.maxBatch) return;
      if (builder.has(task.request)) continue;
      if (!this.#allows(task.request)) {
        builder.skip(task.request, 'step-kind', this.#numbers(task));
      } else if (
        builder.batch > 0 &&
        pendingPrompt(task.request) > 0 &&
        task.job.density < shadowPrice / 4
      ) {
        builder.skip(task.request, 'marginal', this.#numbers(task));
      } else {
        this.#serve(task, 'density');
      }
    }
  }

  /** What nobody promised anything fills the rest, while nothing better was turned away. */
  #soakUp({ bestEffort, others, admitted, shadowPrice, keepPlaces }: Selection): void {
    const builder = this.#builder;
    const kept = keepPlaces ? Math.floor(KEPT_FREE * this.#view.capacity.maxSequences) : 0;
    if (this.#kind === 'decode' && builder.batch > 0) return;
    if (shadowPrice > 0 && builder.batch > 0) return;
    const promised = new Set(admitted);
    for (let i = 0; i < others.length && i < MAX_LEFT_OVER && !this.#full; i++) {
      const job = others.at(i);
      if (promised.has(job)) continue; // `job.admitted` may be an earlier plan's
      for (const request of job.calls) {
        if (!builder.has(request)) this.#serve(this.#task(request, job), 'density');
      }
    }
    let looked = 0;
    for (const job of bestEffort) {
      if (this.#full || looked++ >= MAX_LEFT_OVER) break;
      // Some places are kept for those who come in a hurry: taking one back would cost a recompute.
      if (builder.batch > 0 && builder.freeSequences <= kept) break;
      const [request] = job.calls;
      if (!request.resident && !builder.has(request)) {
        this.#serve(this.#task(request, job), 'density');
      }
    }
  }

  /** Who has less slack than this is in a hurry, ms. */
  get #urgentMs(): number {
    return URGENT_STEPS * this.#on.pace.tokenMs;
  }

  /** GPU time of a prompt token that nothing hides, ms; above 0. */
  get #promptTokenMs(): number {
    return Math.max(1e-6, this.#view.cost.costs.perPrefillTokenMs);
  }

  /** No place for another sequence. */
  get #full(): boolean {
    return this.#builder.batch >= this.#builder.maxBatch || this.#builder.freeSequences <= 0;
  }

  #allows(request: Request): boolean {
    return this.#kind === undefined || this.#builder.batch === 0 || this.#kind === kindOf(request);
  }

  #serve(task: Task, reason: Reason): void {
    if (kindOf(task.request) === 'decode') this.#decode(task, reason);
    else this.#prompt(task, reason);
  }

  #decode(task: Task, reason: Reason): void {
    const { request } = task;
    const builder = this.#builder;
    const context = request.computed + 1;
    if (
      this.#elastic &&
      reason !== 'critical' &&
      reason !== 'fair-share' &&
      builder.batch > 0 &&
      this.#on.now + this.#ms() + this.#view.cost.decodeMs(context) > this.#guardMs
    ) {
      builder.skip(request, 'tbt-guard', this.#numbers(task));
      return;
    }
    this.#makeRoom(task, 1);
    if (builder.add(request, reason, this.#numbers(task)) > 0) {
      this.#decodes++;
      this.#context += context;
    }
  }

  #prompt(task: Task, reason: Reason): void {
    const { request } = task;
    const builder = this.#builder;
    const chunk = this.#chunk(task, reason);
    if (chunk < 1) {
      const why = this.#calmLeft < 1 || builder.prefillLeft < 1 ? 'prefill-budget' : 'tbt-guard';
      builder.skip(request, why, this.#numbers(task));
      return;
    }
    this.#makeRoom(task, chunk);
    const taken = builder.add(request, reason, this.#numbers(task), {
      maxTokens: chunk,
      makeRoom: request.resident && builder.batch === 0,
    });
    if (taken === 0) return;
    this.#prefill += taken;
    this.#calmLeft -= taken;
    this.#context += (request.resident ? request.computed : request.cachedTokens) + taken;
  }

  /** Prompt tokens that this task may take in this step. */
  #chunk(task: Task, reason: Reason): number {
    const { costs } = this.#view.cost;
    const pending = pendingPrompt(task.request);
    const whole = !this.#view.capabilities.continuedPrefill;
    if (this.#builder.batch === 0 && whole) return pending;
    // Only a first token that people wait for is worth a long step.
    const rush = task.request.class === 'latency' && task.startMs < this.#on.now + this.#urgentMs;
    let most = Math.min(pending, this.#builder.prefillLeft);
    if (!whole) {
      const left = this.#calmLeft + (rush ? this.#rushLeft : 0);
      most = Math.min(most, Math.max(0, Math.floor(left)));
    }
    if (this.#elastic && this.#guardMs < Number.POSITIVE_INFINITY) {
      const hidden = Math.max(0, costs.freeTokens - this.#decodes - this.#prefill);
      const leftMs = this.#guardMs - this.#on.now - this.#ms();
      const fits = hidden + Math.max(0, Math.floor(leftMs / this.#promptTokenMs));
      if (fits < most) {
        const delayMs = (most - fits) * costs.perPrefillTokenMs;
        const worth = (rush || reason === 'critical') && this.#worthDelay(task, delayMs);
        if (!worth) most = this.#builder.batch === 0 ? Math.max(1, fits) : fits;
      }
    }
    if (whole && most < pending) return 0;
    return most;
  }

  /** Whether what this task earns outweighs the tokens that streams would get late by `delayMs`. */
  #worthDelay(task: Task, delayMs: number): boolean {
    const endMs = this.#on.now + this.#ms() + delayMs;
    let lost = 0;
    for (const request of this.#view.resident) {
      if (request.slo.class !== 'latency' || !request.decoding) continue;
      const due = request.tokenDueMs(request.generated);
      if (due < this.#guardMs || endMs <= due) continue;
      lost += this.#view.gain.outputWeight * Math.ceil((endMs - due) / request.slo.tbt);
    }
    return task.job.value > lost;
  }

  /** Expected duration of the step so far, ms. */
  #ms(): number {
    return this.#view.cost.stepMs({
      decodes: this.#decodes,
      contextTokens: this.#context,
      prefillTokens: this.#prefill,
    });
  }

  /**
   * Where pages or sequences are short, drops residents that were not admitted, least dense first,
   * until `tokens` of the task fit; for an urgent one also those that were, latest first. What has to
   * be computed again is in the comparison: a job that was not admitted either has to be that much
   * denser.
   */
  #makeRoom(task: Task, tokens: number): void {
    const builder = this.#builder;
    const { request } = task;
    const { pageSize } = this.#view.capacity;
    const held = request.resident ? Math.ceil(request.computed / pageSize) : 0;
    const computed = request.resident ? request.computed : request.cachedTokens;
    const pages = Math.ceil((computed + tokens) / pageSize) - held;
    const sequences = request.resident ? 0 : 1;
    for (let i = this.#spare.length - 1; i >= 0; i--) {
      if (pages <= builder.freePages && sequences <= builder.freeSequences) return;
      const victim = this.#spare[i];
      if (victim.request === request || builder.has(victim.request)) continue;
      if (!task.job.admitted) {
        const again = victim.request.computed * this.#on.pace.prefillMs;
        const price = victim.job.value / Math.max(1e-3, victim.job.costMs + again);
        if (!(price * COMMITMENT < task.job.density)) continue;
      }
      builder.preempt(victim.request, this.#numbers(victim));
    }
    if (!task.job.admitted || task.startMs > this.#on.now + this.#urgentMs) return;
    // Somebody urgent: of the admitted, those with the most time drop theirs, if they can still make it.
    for (let i = this.#tasks.length - 1; i >= 0; i--) {
      if (pages <= builder.freePages && sequences <= builder.freeSequences) return;
      const victim = this.#tasks[i];
      if (!victim.request.resident || builder.has(victim.request)) continue;
      if (victim.dueMs <= task.dueMs) continue;
      const againMs = victim.request.computed * this.#on.pace.prefillMs;
      const slackMs = victim.startMs - this.#on.now - 2 * againMs;
      if (slackMs < this.#urgentMs) continue;
      builder.preempt(victim.request, this.#numbers(victim));
    }
  }

  #numbers({ job, startMs }: Task) {
    return {
      slackMs: Number.isFinite(startMs) ? startMs - this.#on.now : undefined,
      density: job.density,
      remainingTokens: Math.round(job.remainingTokens),
    };
  }
}

function kindOf(request: Request): Kind {
  return request.resident && request.decoding ? 'decode' : 'prefill';
}

/**
 * Earliest obligation first, but what has no slack left before what has, whatever its deadline: with
 * several places a long chain of stages is lost if it always waits for the shorter ones (EDZL: Lee,
 * "On-line Multiprocessor Scheduling Algorithms for Real-Time Tasks", TENCON '94).
 */
function inDeadlineOrder(a: Task, b: Task): number {
  if (a.critical !== b.critical) return a.critical ? -1 : 1;
  // Signs, not differences: a fraction returned would be an object for the garbage collector.
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs ? -1 : 1;
  return a.request.order - b.request.order;
}

function byDensity(a: Task, b: Task): number {
  if (a.job.density !== b.job.density) return a.job.density > b.job.density ? -1 : 1;
  return a.request.order - b.request.order;
}

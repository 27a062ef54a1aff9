import type { PlanBuilder } from '../plan';
import type { Policy, SchedulerView } from '../policy';
import type { Program } from '../program';
import type { Reason, Request } from '../request';
import {
  type Circumstances,
  DemandBound,
  Job,
  type Knowledge,
  paceOf,
  pendingPrompt,
  predicted,
  type TempoOptions,
  WaitingIndex,
} from '../tempo';

/** A request that could be in the next step. */
interface Task {
  request: Request;
  job: Job;
  /** Latest time at which it has to be in a step, ms. */
  startMs: number;
}

/** How much denser a newcomer has to be to take a resident's place. */
const RESIDENT_BONUS = 1.25;
/** Waiting jobs looked at for admission in one plan … */
const MAX_CANDIDATES = 160;
/** … unless so many in a row did not fit. */
const MAX_REJECTED = 48;
/** An appraisal of a waiting job is good for so long, ms. */
const APPRAISAL_MS = 200;
/** Waiting jobs whose appraisal is brought up to date in one plan, whether looked at or not. */
const REFRESHED = 12;
/** Prompt tokens a step takes when none of them is urgent: steps with some cost less than steps with many. */
const CALM_CHUNK = 256;

/**
 * Tempo (arXiv 2504.20068, section 4), in the order it thinks: who is worth it (admission by
 * service-gain density, as long as every promise can still be kept), who is next (deadline order,
 * just enough bandwidth), what fits into the step (elastic under the tightest TBT), and what is left
 * over for best-effort work, which is guaranteed its share.
 */
export function tempo(options: TempoOptions = {}): Policy {
  return new Tempo('tempo', options, (view) => predicted(view, options));
}

export class Tempo implements Policy {
  readonly name: string;
  readonly #options: TempoOptions;
  readonly #knowledgeOf: (view: SchedulerView) => Knowledge;
  #knowledge: Knowledge | undefined;
  readonly #jobs = new Map<Request | Program, Job>();
  readonly #index = new WaitingIndex();
  readonly #bound = new DemandBound();
  #residentJobs: Job[] = [];
  #plans = 0;
  #cursor = 0;
  /** GPU time that best-effort work is owed, ms. */
  #owedMs = 0;
  #bestEffortLive = 0;
  #lastStepAt = -1;
  #plannedTokens = 1;

  constructor(
    name: string,
    options: TempoOptions,
    knowledgeOf: (view: SchedulerView) => Knowledge,
  ) {
    this.name = name;
    this.#options = options;
    this.#knowledgeOf = knowledgeOf;
  }

  submitted(request: Request, view: SchedulerView): void {
    const key = keyOf(request);
    let job = this.#jobs.get(key);
    if (job === undefined) {
      job = new Job(request);
      this.#jobs.set(key, job);
    }
    job.calls.push(request);
    if (request.class === 'best-effort') this.#bestEffortLive++;
    if (job.resident) return;
    this.#index.remove(job);
    job.appraise(this.#circumstances(view));
    this.#index.insert(job);
  }

  ended(request: Request): void {
    const key = keyOf(request);
    const job = this.#jobs.get(key);
    if (job === undefined) return;
    const at = job.calls.indexOf(request);
    if (at >= 0) job.calls.splice(at, 1);
    if (request.class === 'best-effort') this.#bestEffortLive--;
    if (job.calls.length > 0) return;
    this.#index.remove(job);
    if (job.program === undefined || job.program.ended) this.#jobs.delete(key);
    else this.#jobs.delete(key);
  }

  served(request: Request, tokens: number, stepMs: number, view: SchedulerView): void {
    if (view.now !== this.#lastStepAt) {
      this.#lastStepAt = view.now;
      if (this.#bestEffortLive > 0) this.#owedMs += view.bestEffortShare * stepMs;
      else this.#owedMs = Math.min(0, this.#owedMs);
    }
    if (request.class === 'best-effort') this.#owedMs -= (stepMs * tokens) / this.#plannedTokens;
  }

  plan(view: SchedulerView, builder: PlanBuilder): void {
    const on = this.#circumstances(view);
    this.#gatherResidents(view, on);
    const admittedWaiting = this.#admit(view, builder, on);
    new Step(view, builder, on, this.#options).fill(
      this.#residentJobs,
      admittedWaiting.jobs,
      admittedWaiting.shadowPrice,
      this.#owedMs,
      this.#index,
    );
    let tokens = 0;
    for (const work of builder.work) tokens += work.tokens;
    this.#plannedTokens = Math.max(1, tokens);
  }

  #circumstances(view: SchedulerView): Circumstances {
    this.#knowledge ??= this.#knowledgeOf(view);
    return {
      now: view.now,
      pace: paceOf(view),
      gain: view.gain,
      knowledge: this.#knowledge,
      slackQuantile: this.#options.slackQuantile ?? 0.9,
      justEnough: this.#options.justEnough !== false,
    };
  }

  /** Residents are appraised afresh; what lost its pages goes back among the waiting. */
  #gatherResidents(view: SchedulerView, on: Circumstances): void {
    const plan = ++this.#plans;
    const before = this.#residentJobs;
    const jobs: Job[] = [];
    for (const request of view.resident) {
      const job = this.#jobs.get(keyOf(request));
      if (job === undefined || job.seenInPlan === plan) continue;
      job.seenInPlan = plan;
      this.#index.remove(job);
      job.appraise(on);
      jobs.push(job);
    }
    for (const job of before) {
      if (job.seenInPlan !== plan && job.calls.length > 0 && job.indexKey === undefined) {
        job.appraise(on);
        this.#index.insert(job);
      }
    }
    this.#residentJobs = jobs;
    for (let i = Math.min(REFRESHED, this.#index.length); i > 0; i--) {
      if (this.#cursor >= this.#index.length) this.#cursor = 0;
      const job = this.#index.at(this.#cursor++);
      if (on.now - job.scoredMs < APPRAISAL_MS) continue;
      job.appraise(on);
      this.#index.update(job);
    }
  }

  /** Admits jobs, densest first, as long as all promises can be kept. */
  #admit(
    view: SchedulerView,
    builder: PlanBuilder,
    on: Circumstances,
  ): { jobs: Job[]; shadowPrice: number } {
    const reserved = this.#bestEffortLive > 0 ? view.bestEffortShare : 0;
    this.#bound.reset(1 - reserved, 2 * on.pace.tokenMs);
    let pages = view.capacity.totalPages;
    let shadowPrice = 0;
    const pagesOf = (job: Job) => {
      let sum = 0;
      for (const call of job.calls) {
        sum += Math.ceil(
          (call.knownTokens + job.remainingTokens / job.calls.length) / view.capacity.pageSize,
        );
      }
      return sum;
    };
    const consider = (job: Job, waiting: boolean): boolean => {
      job.admitted = false;
      if (job.bestEffort) {
        if (waiting) return false;
        pages -= pagesOf(job);
        return false;
      }
      if (job.hopeless) return false;
      const needed = pagesOf(job);
      if (!this.#bound.fits(job.ramp)) {
        shadowPrice = Math.max(shadowPrice, job.density);
        return false;
      }
      if (waiting && needed > pages) return false;
      pages -= needed;
      this.#bound.take(job.ramp);
      job.admitted = true;
      return true;
    };

    const residents = this.#residentJobs;
    residents.sort((a, b) => b.density - a.density || a.order - b.order);
    const admitted: Job[] = [];
    let r = 0;
    let looked = 0;
    let rejected = 0;
    for (let i = 0; looked < MAX_CANDIDATES && rejected < MAX_REJECTED; i++) {
      const job = i < this.#index.length ? this.#index.at(i) : undefined;
      const density = job?.indexKey ?? -1;
      while (r < residents.length && residents[r].density * RESIDENT_BONUS >= density) {
        consider(residents[r++], false);
      }
      if (job === undefined || density <= 0) break;
      looked++;
      if (on.now - job.scoredMs >= APPRAISAL_MS) {
        job.appraise(on);
        if (this.#index.update(job)) {
          // It belongs further down by now; whoever is here instead is next.
          if (job.density < density) {
            i--;
            continue;
          }
        }
      }
      if (consider(job, true)) {
        admitted.push(job);
        rejected = 0;
      } else if (!job.bestEffort) {
        rejected++;
        for (const call of job.calls) {
          builder.skip(call, job.hopeless ? 'hopeless' : 'not-admitted', {
            density: job.density,
            remainingTokens: Math.round(job.remainingTokens),
          });
        }
      }
    }
    while (r < residents.length) consider(residents[r++], false);
    return { jobs: admitted, shadowPrice };
  }
}

/** Puts one step together from what was admitted. */
class Step {
  readonly #view: SchedulerView;
  readonly #builder: PlanBuilder;
  readonly #on: Circumstances;
  readonly #elastic: boolean;
  /** When the tightest stream that can still be on time needs its next token, ms. */
  #guardMs = Number.POSITIVE_INFINITY;
  #decodes = 0;
  #context = 0;
  #prefill = 0;
  /** Non-critical prompt tokens this step may still take. */
  #calmLeft = CALM_CHUNK;
  #spare: Task[] = [];

  constructor(view: SchedulerView, builder: PlanBuilder, on: Circumstances, options: TempoOptions) {
    this.#view = view;
    this.#builder = builder;
    this.#on = on;
    this.#elastic = options.elasticBatch !== false;
  }

  fill(
    residents: readonly Job[],
    waiting: readonly Job[],
    shadowPrice: number,
    owedMs: number,
    index: WaitingIndex,
  ): void {
    const { now, pace } = this.#on;
    const tasks: Task[] = [];
    for (const job of residents) {
      for (const request of job.calls) {
        const task = { request, job, startMs: job.latestStart(request, this.#on) };
        (job.admitted ? tasks : this.#spare).push(task);
        if (!job.admitted) continue;
        const due = request.tokenDueMs(request.generated);
        if (request.resident && request.decoding && due >= now + pace.baseMs) {
          this.#guardMs = Math.min(this.#guardMs, due);
        }
      }
    }
    for (const job of waiting) {
      for (const request of job.calls) {
        tasks.push({ request, job, startMs: job.latestStart(request, this.#on) });
      }
    }
    tasks.sort(byStart);
    this.#spare.sort(byDensity);

    const kind = this.#view.capabilities.mixedSteps ? undefined : this.#kindOf(tasks);
    if (owedMs > 0) this.#serveOwed(index, kind);
    for (const task of tasks) {
      if (this.#builder.batch >= this.#builder.maxBatch) break;
      if (kind !== undefined && kind !== kindOf(task.request)) {
        this.#builder.skip(task.request, 'step-kind', this.#numbers(task));
        continue;
      }
      this.#serve(task, task.startMs < now + pace.tokenMs ? 'critical' : 'on-schedule');
    }
    if (this.#builder.batch >= this.#builder.maxBatch) return;
    // Left over: residents that were not admitted, then best-effort work, then the hopeless.
    for (const task of this.#spare) {
      if (kind !== undefined && this.#builder.batch > 0 && kind !== kindOf(task.request)) continue;
      const rate = task.job.density;
      if (rate < shadowPrice * 0.25 && this.#builder.batch > 0 && pendingPrompt(task.request) > 0) {
        this.#builder.skip(task.request, 'marginal', this.#numbers(task));
        continue;
      }
      this.#serve(task, 'density');
    }
    if (shadowPrice > 0 && this.#builder.batch > 0) return;
    this.#soakUp(index, kind);
  }

  /** Work nobody promised anything about fills what is left, while nothing better waits. */
  #soakUp(index: WaitingIndex, kind: 'decode' | 'prefill' | undefined): void {
    if (kind === 'decode' && this.#builder.batch > 0) return;
    for (let i = 0, looked = 0; i < index.length && looked < 64; i++, looked++) {
      if (this.#builder.batch >= this.#builder.maxBatch || this.#builder.freeSequences <= 0) return;
      const job = index.at(i);
      if (job.admitted && !job.bestEffort && !job.hopeless) continue;
      for (const request of job.calls) {
        if (this.#builder.has(request) || request.resident) continue;
        this.#serve({ request, job, startMs: Number.POSITIVE_INFINITY }, 'density');
      }
    }
  }

  /** Best-effort work that is owed time goes first, one sequence at a time. */
  #serveOwed(index: WaitingIndex, kind: 'decode' | 'prefill' | undefined): void {
    const owed = this.#spare.find((task) => task.job.bestEffort);
    if (owed !== undefined) {
      if (kind === undefined || kind === kindOf(owed.request)) this.#serve(owed, 'fair-share');
      return;
    }
    if (kind === 'decode') return;
    for (let i = index.length - 1; i >= 0 && i >= index.length - 256; i--) {
      const job = index.at(i);
      if (!job.bestEffort) continue;
      this.#serve({ request: job.calls[0], job, startMs: Number.POSITIVE_INFINITY }, 'fair-share');
      return;
    }
  }

  #kindOf(tasks: readonly Task[]): 'decode' | 'prefill' | undefined {
    let decodes = 0;
    let prompt: Task | undefined;
    for (const task of tasks) {
      if (kindOf(task.request) === 'decode') decodes++;
      else prompt ??= task;
    }
    if (decodes === 0 && prompt === undefined) return undefined;
    if (decodes === 0) return 'prefill';
    if (prompt === undefined) return 'decode';
    const { now, pace } = this.#on;
    const promptMs =
      pace.baseMs +
      Math.min(pendingPrompt(prompt.request), this.#view.capacity.maxPrefillTokens) *
        pace.prefillMs;
    if (now + promptMs + pace.tokenMs <= this.#guardMs) return 'prefill';
    return prompt.startMs <= now && this.#worthDelay(prompt, promptMs) ? 'prefill' : 'decode';
  }

  #serve(task: Task, reason: Reason): void {
    const { request } = task;
    const builder = this.#builder;
    if (request.resident && request.decoding) {
      const { perDecodeMs, perContextTokenMs } = this.#view.cost.costs;
      const adds = perDecodeMs + perContextTokenMs * (request.computed + 1);
      if (
        this.#elastic &&
        reason !== 'critical' &&
        builder.batch > 0 &&
        this.#on.now + this.#ms() + adds > this.#guardMs
      ) {
        builder.skip(request, 'tbt-guard', this.#numbers(task));
        return;
      }
      this.#makeRoom(task, 1);
      if (builder.add(request, reason, this.#numbers(task)) > 0) {
        this.#decodes++;
        this.#context += request.computed + 1;
      }
      return;
    }
    const chunk = this.#chunk(task, reason);
    if (chunk < 1) {
      builder.skip(
        request,
        this.#calmLeft < 1 ? 'prefill-budget' : 'tbt-guard',
        this.#numbers(task),
      );
      return;
    }
    if (!this.#makeRoom(task, chunk)) {
      builder.skip(
        request,
        builder.freeSequences <= 0 && !request.resident ? 'sequences-full' : 'pages-full',
        this.#numbers(task),
      );
      return;
    }
    const taken = builder.add(request, reason, this.#numbers(task), {
      maxTokens: chunk,
      makeRoom: false,
    });
    if (taken === 0) return;
    this.#prefill += taken;
    this.#calmLeft -= taken;
    this.#context += (request.resident ? request.computed : request.cachedTokens) + taken;
  }

  /** Prompt tokens that this task may take in this step. */
  #chunk(task: Task, reason: Reason): number {
    const { request } = task;
    const { costs } = this.#view.cost;
    const pending = pendingPrompt(request);
    const whole = !this.#view.capabilities.continuedPrefill;
    const hidden = Math.max(0, costs.freeTokens - this.#decodes - this.#prefill);
    let most = Math.min(pending, this.#builder.prefillLeft);
    if (reason !== 'critical' && !whole) most = Math.min(most, Math.max(0, this.#calmLeft));
    if (this.#elastic && this.#guardMs < Number.POSITIVE_INFINITY) {
      const leftMs = this.#guardMs - this.#on.now - this.#ms();
      const fits =
        hidden + Math.max(0, Math.floor(leftMs / Math.max(1e-6, costs.perPrefillTokenMs)));
      if (fits < most) {
        const delayMs = (most - fits) * costs.perPrefillTokenMs;
        if (!(reason === 'critical' && this.#worthDelay(task, delayMs))) most = fits;
      }
    }
    if (whole) return most < pending && this.#builder.batch > 0 ? 0 : pending;
    return most;
  }

  /** Whether what this task earns outweighs the tokens that streams would get late by `delayMs`. */
  #worthDelay(task: Task, delayMs: number): boolean {
    const { gain } = this.#view;
    let lost = 0;
    for (const request of this.#view.resident) {
      if (request.slo.class !== 'latency' || !request.decoding) continue;
      const due = request.tokenDueMs(request.generated);
      if (due < this.#guardMs) continue;
      const late = this.#on.now + this.#ms() + delayMs - due;
      if (late > 0) lost += gain.outputWeight * Math.ceil(late / request.slo.tbt);
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

  /** Drops residents of less worth, if need be and if it pays, until `task` can be given `tokens`. */
  #makeRoom(task: Task, tokens: number): boolean {
    const builder = this.#builder;
    const { request } = task;
    const { pageSize } = this.#view.capacity;
    const held = request.resident ? Math.ceil(request.computed / pageSize) : 0;
    const needed = () =>
      Math.ceil((request.knownTokens - pendingPrompt(request) + tokens) / pageSize) - held;
    const short = () =>
      needed() > builder.freePages || (!request.resident && builder.freeSequences <= 0);
    if (!short()) return true;
    for (let i = this.#spare.length - 1; i >= 0 && short(); i--) {
      const victim = this.#spare[i];
      if (victim.request === request || !victim.request.resident) continue;
      if (builder.has(victim.request)) continue;
      if (!task.job.admitted && !(victim.job.density * RESIDENT_BONUS < task.job.density)) continue;
      builder.preempt(victim.request, this.#numbers(victim));
    }
    return !short();
  }

  #numbers({ job, startMs }: Task) {
    return {
      slackMs: Number.isFinite(startMs) ? startMs - this.#on.now : undefined,
      density: job.density,
      remainingTokens: Math.round(job.remainingTokens),
    };
  }
}

function keyOf(request: Request): Request | Program {
  return request.slo.class === 'program' && request.program !== undefined
    ? request.program
    : request;
}

function kindOf(request: Request): 'decode' | 'prefill' {
  return request.resident && request.decoding ? 'decode' : 'prefill';
}

function byStart(a: Task, b: Task): number {
  return a.startMs - b.startMs || a.request.order - b.request.order;
}

/** Densest first, best-effort work before the hopeless. */
function byDensity(a: Task, b: Task): number {
  return b.job.density - a.job.density || a.request.order - b.request.order;
}

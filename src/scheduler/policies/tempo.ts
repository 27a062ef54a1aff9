import type { PlanBuilder } from '../plan';
import type { Policy, SchedulerView } from '../policy';
import type { Program } from '../program';
import type { Request } from '../request';
import {
  type Circumstances,
  DemandBound,
  FairShare,
  Job,
  type Knowledge,
  paceOf,
  predicted,
  Step,
  type TempoOptions,
  WaitingIndex,
} from '../tempo';

/** Waiting jobs looked at for admission in one plan … */
const MAX_CANDIDATES = 96;
/** … unless so many in a row did not fit. */
const MAX_REJECTED = 32;
/** An appraisal is good for so long, ms, while nothing of the job is computed. */
const APPRAISAL_MS = 200;
/** Waiting jobs whose appraisal is brought up to date in one plan, whether looked at or not. */
const REFRESHED = 12;

/** Candidates whose appraisal is brought up to date in one plan; the others' will be in the next ones. */
const REAPPRAISED = 24;
/**
 * Best-effort work gets its share over every such span, ms. Within it, it takes its time from lulls:
 * a share of every second would break promises in every burst (it cost 1 to 6% of the gain on a page).
 */
const SHARE_WINDOW_MS = 120_000;

/** Where nobody with an objective has arrived for so long, ms, no places are kept free for one. */
const HURRY_MS = 60_000;

/**
 * Tempo (arXiv 2504.20068, section 4), in the order it thinks: who is worth it (admission by
 * service-gain density, as long as every promise can still be kept), who is next (deadline order,
 * just enough bandwidth), what fits into the step (elastic under the tightest TBT), and what is left
 * over for best-effort work, which is guaranteed its share.
 */
export function tempo(options: TempoOptions = {}): Policy {
  return new Tempo('tempo', options, (view) => predicted(view, options));
}

/** The policy, given what it knows: `tempo` from history, `tempo-oracle` from the truth. */
export class Tempo implements Policy {
  readonly name: string;
  readonly #options: TempoOptions;
  readonly #knowledgeOf: (view: SchedulerView) => Knowledge;
  #knowledge: { view: SchedulerView; is: Knowledge } | undefined;
  readonly #jobs = new Map<Request | Program, Job>();
  /** Jobs without pages, best-effort ones apart. */
  readonly #index = new WaitingIndex();
  readonly #bestEffort = new Set<Job>();
  readonly #bound = new DemandBound();
  readonly #fairShare: FairShare | undefined;
  #residentJobs: Job[] = [];
  /** Pages not yet promised. */
  #pages = 0;
  /** Density of the densest job turned away for lack of capacity. */
  #shadowPrice = 0;
  #plans = 0;
  #cursor = 0;
  /** When somebody with an objective last arrived, ms. */
  #hurriedMs = Number.NEGATIVE_INFINITY;
  /** GPU time that best-effort work is owed, ms; below 0, it got that much more than its share. */
  #owedMs = Number.NEGATIVE_INFINITY;
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
    if (options.weights !== undefined) this.#fairShare = new FairShare(options.weights);
  }

  submitted(request: Request, view: SchedulerView): void {
    const key = keyOf(request);
    let job = this.#jobs.get(key);
    if (job === undefined) {
      job = new Job(request);
      this.#jobs.set(key, job);
    }
    job.calls.push(request);
    job.moved = true;
    this.#fairShare?.submitted(request.app);
    if (job.bestEffort) {
      this.#bestEffort.add(job);
      return;
    }
    this.#hurriedMs = request.arrivalMs;
    // One that has pages already may lose them before this policy's first plan.
    if (job.resident) this.#residentJobs.push(job);
    else this.#place(job, this.#circumstances(view));
  }

  ended(request: Request): void {
    const key = keyOf(request);
    const job = this.#jobs.get(key);
    const at = job?.calls.indexOf(request) ?? -1;
    if (job === undefined || at < 0) return;
    job.calls.splice(at, 1);
    job.moved = true;
    this.#fairShare?.ended(request.app);
    if (job.calls.length > 0) return;
    this.#index.remove(job);
    this.#bestEffort.delete(job);
    this.#jobs.delete(key);
  }

  served(request: Request, tokens: number, stepMs: number, view: SchedulerView): void {
    const job = this.#jobs.get(keyOf(request));
    if (job !== undefined) job.moved = true;
    if (view.now !== this.#lastStepAt) {
      this.#lastStepAt = view.now;
      const share = view.bestEffortShare;
      // A claim grows while some work waits, and fades as fast while none does.
      this.#owedMs += (this.#bestEffort.size > 0 ? share : -share) * stepMs;
      this.#owedMs = Math.max(this.#owedMs, -share * SHARE_WINDOW_MS);
    }
    if (request.class === 'best-effort') this.#owedMs -= (stepMs * tokens) / this.#plannedTokens;
    if (this.#fairShare !== undefined) {
      const { inputWeight, outputWeight } = view.gain;
      this.#fairShare.served(request.app, tokens === 1 ? outputWeight : tokens * inputWeight);
    }
  }

  plan(view: SchedulerView, builder: PlanBuilder): void {
    const on = this.#circumstances(view);
    this.#gatherResidents(view, on);
    this.#refresh(on);
    const admitted = this.#admit(view, builder, on);
    new Step(view, builder, on, { elastic: this.#options.elasticBatch !== false }).fill({
      residents: this.#residentJobs,
      admitted,
      bestEffort: this.#bestEffort,
      others: this.#index,
      shadowPrice: this.#shadowPrice,
      owedMs: this.#owedMs,
      keepPlaces: view.now - this.#hurriedMs < HURRY_MS,
    });
    let tokens = 0;
    for (const work of builder.work) tokens += work.tokens;
    this.#plannedTokens = Math.max(1, tokens);
  }

  #circumstances(view: SchedulerView): Circumstances {
    if (this.#knowledge?.view !== view) {
      this.#knowledge = { view, is: this.#knowledgeOf(view) };
    }
    return {
      now: view.now,
      pace: paceOf(view),
      gain: view.gain,
      knowledge: this.#knowledge.is,
      justEnough: this.#options.justEnough !== false,
    };
  }

  #appraise(job: Job, on: Circumstances): void {
    job.appraise(on);
    if (this.#fairShare !== undefined) job.rank *= this.#fairShare.factor(job.app);
  }

  /** Puts a job among the waiting, where its rank belongs. */
  #place(job: Job, on: Circumstances): void {
    this.#index.remove(job);
    this.#appraise(job, on);
    this.#index.insert(job);
  }

  /** Jobs with pages are appraised afresh once they moved; those that lost their pages wait again. */
  #gatherResidents(view: SchedulerView, on: Circumstances): void {
    const plan = ++this.#plans;
    const before = this.#residentJobs;
    const jobs: Job[] = [];
    for (const request of view.resident) {
      const job = this.#jobs.get(keyOf(request));
      if (job === undefined || job.seenInPlan === plan) continue;
      job.seenInPlan = plan;
      this.#index.remove(job);
      if (job.moved || on.now - job.scoredMs >= APPRAISAL_MS) this.#appraise(job, on);
      jobs.push(job);
    }
    for (const job of before) {
      if (job.seenInPlan !== plan && job.calls.length > 0 && !job.bestEffort) this.#place(job, on);
    }
    this.#residentJobs = jobs.sort(byRank);
  }

  /** A few of the waiting are appraised again at every plan, so that none stays misjudged. */
  #refresh(on: Circumstances): void {
    for (let i = Math.min(REFRESHED, this.#index.length); i > 0; i--) {
      if (this.#cursor >= this.#index.length) this.#cursor = 0;
      const job = this.#index.at(this.#cursor++);
      if (on.now - job.scoredMs < APPRAISAL_MS) continue;
      this.#appraise(job, on);
      this.#index.update(job);
    }
  }

  /** Admits jobs in order of rank, as long as all promises can be kept. Returns those without pages. */
  #admit(view: SchedulerView, builder: PlanBuilder, on: Circumstances): Job[] {
    const reserved = this.#owedMs > 0 ? view.bestEffortShare : 0;
    this.#bound.reset(1 - reserved, 2 * on.pace.tokenMs);
    this.#pages = view.capacity.totalPages;
    this.#shadowPrice = 0;
    const residents = this.#residentJobs;
    const admitted: Job[] = [];
    let r = 0;
    let looked = 0;
    let rejected = 0;
    let fresh = REAPPRAISED;
    for (let i = 0; i < this.#index.length; i++) {
      const job = this.#index.at(i);
      const rank = job.indexKey ?? 0;
      while (r < residents.length && residents[r].rank >= rank)
        this.#consider(residents[r++], view);
      if (rank <= 0 || looked++ >= MAX_CANDIDATES || rejected >= MAX_REJECTED) break;
      if (fresh > 0 && (job.moved || on.now - job.scoredMs >= APPRAISAL_MS)) {
        fresh--;
        this.#appraise(job, on);
        if (this.#index.update(job) && job.rank < rank) {
          // It belongs further down by now; whoever is here instead is next.
          i--;
          continue;
        }
      }
      if (this.#consider(job, view)) {
        admitted.push(job);
        rejected = 0;
        continue;
      }
      rejected++;
      const numbers = { density: job.density, remainingTokens: Math.round(job.remainingTokens) };
      for (const call of job.calls) {
        builder.skip(call, job.hopeless ? 'hopeless' : 'not-admitted', numbers);
      }
    }
    while (r < residents.length) this.#consider(residents[r++], view);
    return admitted;
  }

  /** Admits a job if its promise can be kept beside those already made. */
  #consider(job: Job, { capacity }: SchedulerView): boolean {
    job.admitted = false;
    const waiting = job.indexKey !== undefined;
    const unpromising = job.bestEffort || job.hopeless;
    if (waiting && unpromising) return false;
    const pages = job.pages(capacity.pageSize);
    if (!waiting) this.#pages -= pages;
    if (unpromising) return false;
    if (!this.#bound.fits(job.ramp)) {
      // A late stream is never promised anything by then; it does not mean that others were.
      if (!job.late) this.#shadowPrice = Math.max(this.#shadowPrice, job.density);
      return false;
    }
    if (waiting) {
      if (pages > this.#pages && this.#residentJobs.length > 0) return false;
      this.#pages -= pages;
    }
    this.#bound.take(job.ramp);
    job.admitted = true;
    return true;
  }
}

function byRank(a: Job, b: Job): number {
  if (a.rank !== b.rank) return a.rank > b.rank ? -1 : 1;
  return a.order - b.order;
}

function keyOf(request: Request): Request | Program {
  return request.slo.class === 'program' && request.program !== undefined
    ? request.program
    : request;
}

import type { PlanBuilder } from '../../plan';
import type { Policy } from '../../policy';
import type { Knowledge } from '../../predict/knowledge';
import { paceOf } from '../../predict/pace';
import type { Request } from '../../request';
import type { SchedulerView } from '../../view';
import { admit } from './admit';
import type { Circumstances } from './appraise';
import { BackgroundShare } from './background-share';
import { DemandBound } from './demand-bound';
import { Desk } from './desk';
import { Step } from './fill';
import type { Job } from './job';
import type { Rule, TempoOptions } from './options';
import { AppShares } from './shares';
import { type Tuning, tuning } from './tuning';
import { byRank } from './waiting';

/**
 * Tempo (arXiv 2504.20068, section 4), in the order it thinks: who is worth it (admission by
 * service-gain density, as long as every promise can still be kept), who is next (deadline order,
 * just enough bandwidth), what fits into the step (elastic under the tightest TBT), and what is left
 * over for best-effort work, which is guaranteed its share.
 */
export class Tempo implements Policy {
  readonly name: string;
  readonly #tuning: Tuning;
  readonly #without: ReadonlySet<Rule>;
  readonly #knowledgeOf: (view: SchedulerView) => Knowledge;
  #knowledge: { view: SchedulerView; is: Knowledge } | undefined;
  readonly #bound: DemandBound;
  readonly #apps: AppShares;
  readonly #desk: Desk;
  readonly #backgroundShare: BackgroundShare;
  /** Who was promised service by the last plan. */
  #promised: ReadonlySet<Job> = new Set();
  /** Jobs of apps that asked for less than their share then. */
  #lightJobs: ReadonlySet<Job> = new Set();
  /** GPU time that the last plan's work was to take, by request and in all, ms. */
  readonly #planned = new Map<Request, number>();
  #plannedMs = 0;
  #lastStepAt = -1;

  /** `knowledgeOf`: what it may know of lengths and graphs. */
  constructor(
    name: string,
    options: TempoOptions,
    knowledgeOf: (view: SchedulerView) => Knowledge,
  ) {
    this.name = name;
    this.#tuning = { ...tuning, ...options.tuning };
    this.#without = new Set(options.without);
    this.#knowledgeOf = knowledgeOf;
    this.#bound = new DemandBound(this.#tuning);
    this.#apps = new AppShares(this.#tuning, options.weights);
    this.#desk = new Desk(this.#apps, this.#bound.reachMs);
    this.#backgroundShare = new BackgroundShare(this.#tuning.shareWindowMs);
  }

  plan(view: SchedulerView, builder: PlanBuilder): void {
    const on = this.#circumstances(view);
    const { considered } = this.#tuning;
    this.#desk.refresh(view.resident, on);
    const { residents, waiting } = this.#desk;
    const { owed } = this.#backgroundShare;
    const light = this.#light(on);
    const share = owed ? 1 - view.bestEffortShare : 1;
    this.#bound.reset(on.now, share, this.#tuning.slackSteps * on.pace.tokenMs);
    const admission = admit(this.#candidates(light), this.#bound, view, builder, on);
    this.#promised = admission.promised;
    this.#lightJobs = light;
    const selection = {
      ...{ residents, admission, light, owed },
      background: () => this.#desk.background(considered),
      others: () => [...waiting.densest(considered), ...waiting.leastPatient(considered)],
    };
    new Step(view, builder, on, selection).fill();
    this.#note(builder, on);
  }

  /**
   * What is promised to be done before its first obligation, where it is, or can be, promised that;
   * of an app that goes before the others, what goes with it; else what is to be served before it.
   */
  aheadMs(request: Request, view: SchedulerView): number | undefined {
    const on = this.#circumstances(view);
    const job = this.#desk.jobOf(request, on);
    if (job.bestEffort) return undefined;
    const { demand, chance, costMs } = job.appraisal;
    const dueMs = firstDueMs(job);
    const known = this.#promised.has(job);
    const reachMs = on.now + this.#bound.reachMs;
    const promising = demand.fromMs <= reachMs && chance >= this.#tuning.hopeless;
    const isPromised = known || (promising && this.#bound.fits(demand));
    const promisedMs = this.#bound.workBy(dueMs) - (known ? demand.workMs : 0);
    // A stream of theirs passes all that is promised to others; the rest keeps its place among it.
    const passes = demand.headMs > 0 || !isPromised;
    if (promising && passes && !job.resident && this.#goesFirst(job, costMs)) {
      const isBefore = (other: Job) => other !== job && firstDueMs(other) <= dueMs;
      const lightMs = this.#sum(this.#lightJobs, isBefore);
      return isPromised ? Math.max(0, Math.min(lightMs, promisedMs)) : lightMs;
    }
    if (isPromised) return Math.max(0, promisedMs);
    const { residents, waiting } = this.#desk;
    return this.#sum(residents, (other) => other !== job) + waiting.beforeMs(job, reachMs);
  }

  submitted(request: Request, view: SchedulerView): void {
    const on = this.#circumstances(view);
    const job = this.#desk.add(request, on);
    // Until the next plan, it is taken to be promised what it can be.
    if (!job.bestEffort && this.#bound.fits(job.appraisal.demand)) {
      this.#bound.take(job.appraisal.demand);
    }
  }

  ended(request: Request): void {
    this.#desk.remove(request);
  }

  served(request: Request, tokens: number, stepMs: number, view: SchedulerView): void {
    if (tokens > 1 || request.generated === 0) this.#desk.moved(request);
    if (view.now !== this.#lastStepAt) {
      this.#lastStepAt = view.now;
      this.#backgroundShare.stepped(stepMs, view.bestEffortShare, this.#desk.anyBackground);
    }
    const share = (this.#planned.get(request) ?? 0) / Math.max(1e-6, this.#plannedMs);
    if (request.class === 'best-effort') this.#backgroundShare.served(stepMs * share);
    else this.#apps.served(request.app, stepMs * share);
  }

  /** Whether it is of an app that asks for less than its share, or would be if it were queued now. */
  #goesFirst(job: Job, costMs: number): boolean {
    if (this.#without.has('light-apps')) return false;
    // Of those that wait, the plan has found out.
    return this.#lightJobs.has(job) || (!this.#desk.has(job) && this.#apps.stays(job.app, costMs));
  }

  /** GPU time of what some jobs have to do at first, ms. */
  #sum(jobs: Iterable<Job>, which: (job: Job) => boolean): number {
    let ms = 0;
    for (const job of jobs) {
      const { demand, costMs } = job.appraisal;
      if (which(job)) ms += demand.headMs > 0 ? demand.headMs : costMs;
    }
    return ms;
  }

  /** Jobs of apps that ask for less than their share, the lightest app's first, by rank. */
  #light(on: Circumstances): ReadonlySet<Job> {
    const jobs = new Set<Job>();
    if (this.#without.has('light-apps')) return jobs;
    const { considered } = this.#tuning;
    const { residents, waiting } = this.#desk;
    for (const app of this.#apps.light(on.now, considered)) {
      for (const job of residents) if (job.app === app) jobs.add(job);
      for (const job of waiting.densest(considered, app)) jobs.add(job);
      if (jobs.size >= considered) break;
    }
    return jobs;
  }

  /** Who may be promised service: the light first, then all that hold pages and the densest. */
  #candidates(light: ReadonlySet<Job>): Iterable<Job> {
    const { considered } = this.#tuning;
    const { residents, waiting } = this.#desk;
    const rest = [...residents, ...waiting.densest(considered)];
    return new Set([...light, ...rest.sort(byRank)]);
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
      tuning: this.#tuning,
      without: this.#without,
    };
  }

  /** Keeps what the plan's work is to take, so that the step's time can be charged to its members. */
  #note({ work }: PlanBuilder, { pace }: Circumstances): void {
    this.#planned.clear();
    this.#plannedMs = 0;
    for (const { request, tokens } of work) {
      const decodeMs = pace.decodeMs + pace.contextMs * request.computed;
      const ms = tokens === 1 ? decodeMs : tokens * pace.prefillMs;
      this.#planned.set(request, ms);
      this.#plannedMs += ms;
    }
  }
}

/** When the first of what a job has to do is due, ms: a stream's prompt, or all of it. */
function firstDueMs({ appraisal: { demand } }: Job): number {
  return demand.headMs > 0 ? demand.headDueMs : demand.toMs;
}

import type { PlanBuilder } from '../../plan';
import type { Policy } from '../../policy';
import type { Knowledge } from '../../predict/knowledge';
import { type Pace, paceOf } from '../../predict/pace';
import type { Request } from '../../request';
import type { SchedulerView } from '../../view';
import { Admission } from './admit';
import type { Circumstances } from './appraise';
import { BackgroundShare } from './background-share';
import { DemandBound } from './demand-bound';
import { Desk } from './desk';
import { Step } from './fill';
import { byRank, type Job } from './job';
import type { Rule, TempoOptions } from './options';
import { AppShares } from './shares';
import { type Tuning, tuning } from './tuning';

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
  #admission: Admission | undefined;
  /** The last plan's: its pace, and the GPU time that its work was to take, ms. */
  #pace: Pace | undefined;
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
    const lost = this.#desk.refresh(view.resident, on);
    const { owed } = this.#backgroundShare;
    let admission = this.#admission;
    // Where few wait a round costs little, and each plan is one.
    const few = this.#desk.waiting.impatient <= this.#tuning.considered;
    if (lost || few || admission === undefined || on.now >= admission.untilMs) {
      const share = owed ? 1 - view.bestEffortShare : 1;
      this.#bound.reset(on.now, share, this.#tuning.slackSteps * on.pace.tokenMs);
      const light = this.#light(on);
      admission = new Admission(light, this.#bound, view.capacity, on);
      admission.offerAll(this.#candidates(light), on);
      this.#admission = admission;
    }
    admission.explain(builder);
    new Step(view, builder, on, this.#desk, admission).fill(owed);
    this.#pace = on.pace;
    this.#plannedMs = 0;
    for (const { request, tokens } of builder.work) {
      this.#plannedMs += timeOf(tokens, request.computed, on.pace);
    }
  }

  /**
   * What is promised to be done before its first obligation, where it is, or can be, promised that;
   * of an app that goes before the others, what goes with it; else what is to be served before it.
   */
  aheadMs(request: Request, view: SchedulerView): number | undefined {
    const on = this.#circumstances(view);
    const job = this.#desk.jobOf(request, on);
    if (job.bestEffort) return undefined;
    const { demand, chance } = job.appraisal;
    const dueMs = job.firstDueMs;
    const known = this.#admission?.promised.has(job) ?? false;
    const reachMs = on.now + this.#bound.reachMs;
    const promising = demand.fromMs <= reachMs && chance >= this.#tuning.hopeless;
    const isPromised = known || (promising && this.#bound.fits(demand));
    const promisedMs = this.#bound.workBy(dueMs) - (known ? demand.workMs : 0);
    // A stream of theirs passes all that is promised to others; the rest keeps its place among it.
    const passes = demand.headMs > 0 || !isPromised;
    if (promising && passes && !job.resident && this.#goesFirst(job)) {
      const light = [...(this.#admission?.light ?? [])];
      const lightMs = firstMs(light.filter((other) => other !== job && other.firstDueMs <= dueMs));
      return isPromised ? Math.max(0, Math.min(lightMs, promisedMs)) : lightMs;
    }
    if (isPromised) return Math.max(0, promisedMs);
    const others = [...this.#desk.residents].filter((other) => other !== job);
    return firstMs(others) + this.#desk.waiting.beforeMs(job, reachMs);
  }

  submitted(request: Request, view: SchedulerView): void {
    const on = this.#circumstances(view);
    const job = this.#desk.add(request, on);
    if (job.bestEffort || this.#admission === undefined) return;
    // A round would let it pass the others.
    if (this.#goesFirst(job)) this.#admission.untilMs = on.now;
    else this.#admission.join(job, on);
  }

  ended(request: Request): void {
    const job = this.#desk.remove(request);
    if (job !== undefined) this.#admission?.leave(job);
  }

  served(request: Request, tokens: number, stepMs: number, view: SchedulerView): void {
    if (tokens > 1 || request.generated === 0) this.#desk.moved(request);
    if (view.now !== this.#lastStepAt) {
      this.#lastStepAt = view.now;
      const waits = this.#desk.background.size > 0;
      this.#backgroundShare.stepped(stepMs, view.bestEffortShare, waits);
    }
    if (this.#pace === undefined) return;
    const ownMs = timeOf(tokens, request.computed - tokens, this.#pace);
    const ms = (stepMs * ownMs) / Math.max(ownMs, this.#plannedMs, 1e-6);
    if (request.class === 'best-effort') this.#backgroundShare.served(ms);
    else this.#apps.served(request.app, ms);
  }

  /** Whether it is of an app that asks for less than its share, or would be if it were queued now. */
  #goesFirst(job: Job): boolean {
    if (this.#without.has('light-apps')) return false;
    return this.#apps.stays(job.app, this.#desk.has(job) ? 0 : job.appraisal.costMs);
  }

  /** Jobs of apps that ask for less than their share, the lightest app's first, by rank. */
  #light(on: Circumstances): Set<Job> {
    const jobs = new Set<Job>();
    if (this.#without.has('light-apps')) return jobs;
    const { considered } = this.#tuning;
    const { residents, waiting } = this.#desk;
    const apps = new Map(this.#apps.light(on.now, considered).map((app) => [app, [] as Job[]]));
    for (const job of residents) apps.get(job.app)?.push(job);
    for (const [app, own] of apps) {
      for (const job of own) jobs.add(job);
      for (const job of waiting.densest(considered, app)) jobs.add(job);
      if (jobs.size >= considered) break;
    }
    return jobs;
  }

  /** Who may be promised service: the light first, then all that hold pages and the densest. */
  #candidates(light: ReadonlySet<Job>): Iterable<Job> {
    const { residents, waiting } = this.#desk;
    const rest = [...residents, ...waiting.densest(this.#tuning.considered)];
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
}

/** GPU time of what some jobs have to do at first, ms. */
function firstMs(jobs: readonly Job[]): number {
  return jobs.reduce((sum, job) => sum + job.firstMs, 0);
}

/** GPU time of so many tokens of a request, where so many are computed already, ms. */
function timeOf(tokens: number, computed: number, pace: Pace): number {
  return tokens === 1 ? pace.decodeMs + pace.contextMs * computed : tokens * pace.prefillMs;
}

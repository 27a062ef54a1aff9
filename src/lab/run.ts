import type { GainConfig, Program, Request, Scheduler, SloClass } from '../scheduler';
import { metSlo, Tally, weightedTokens } from '../scheduler';
import { QualityOfExperience } from './qoe';
import { type ReplayOptions, replay } from './replay';
import { createVariant, withoutPrefixes } from './variant';
import { classOf, requestCount, type Workload } from './workload';

/** Milliseconds at the 50th, 95th and 99th percentile; null while there is no observation. */
export interface Times {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** What one policy made of one workload: a line of the table, an object in the JSON. */
export interface LabRun {
  workload: string;
  load: number;
  seed: number;
  policy: string;
  /** Service gain earned. */
  gain: number;
  /** Service gain that no schedule can exceed. */
  bound: number;
  /** Weighted tokens of requests that met their objective, per second of the time that arrivals took. */
  tokenGoodput: number;
  /** Requests that met their objective, a program's members with their program, per second likewise. */
  requestGoodput: number;
  /** Share of requests (of programs, for their class) that met their objective, by class. */
  attainment: Partial<Record<SloClass, number>>;
  /** ms from arrival to first token. */
  ttft: Times;
  /** ms between tokens. */
  tbt: Times;
  /** ms from arrival to last token; for a program, to the last of all. */
  ttlt: Times;
  /** Andes' quality of experience, 0 to 1: mean over the streams; null if there were none. */
  qoe: number | null;
  preemptions: number;
  /** Share of requests whose length the 95% bound at submission covered, after the first 100; null if none. */
  coverage: number | null;
  /** Time that the replay itself took, ms. */
  wallMs: number;
}

/** What the table and the JSON's runs have no room for. */
export interface RunDetails {
  /** Mean excess of the 95% bound over the length, as a share of the excess of max_tokens; null if none. */
  overshoot: number | null;
  steps: number;
  /** Virtual time from the first arrival to the last token, ms. */
  makespanMs: number;
  /** Share of that time in which the engine computed. */
  busy: number;
  /** Gain earned by then, at evenly spaced times. */
  timeline: { atMs: number; gain: number }[];
  /** Gain by class. */
  gainOf: Partial<Record<SloClass, number>>;
}

export interface LabResult {
  run: LabRun;
  details: RunDetails;
}

export interface RunOptions extends Omit<ReplayOptions, 'policy' | 'watch' | 'bestEffortShare'> {
  /** A policy's name, or a variant's (see `createVariant`). */
  policy: string;
  load: number;
  seed: number;
  bound: number;
  /** Wall time in ms, for `wallMs`. */
  wall: () => number;
  /** Hears of the share of requests that have ended, now and then. */
  onProgress?: (share: number) => void;
}

/** Finished requests that the predictor may learn from before its bounds are judged. */
const WARM_UP = 100;
const TIMELINE_POINTS = 120;

/** Replays `workload` through a policy and measures. */
export async function labRun(workload: Workload, options: RunOptions): Promise<LabResult> {
  const startMs = options.wall();
  const meter = new Meter(requestCount(workload.arrivals), options.onProgress);
  const { policy, prefixSharing, bestEffortShare } = createVariant(options.policy);
  const replayed = prefixSharing ? workload : withoutPrefixes(workload);
  const scheduler = await replay(replayed, { ...options, policy, bestEffortShare, watch: meter });
  const wallMs = options.wall() - startMs;
  const spanMs = workload.arrivals.at(-1)?.atMs ?? 0;
  const { total, steps, busyMs } = scheduler.metrics.snapshot();
  const run: LabRun = {
    workload: workload.name,
    load: options.load,
    seed: options.seed,
    policy: options.policy,
    gain: meter.gain,
    bound: options.bound,
    tokenGoodput: perSecond(meter.goodTokens, spanMs),
    requestGoodput: perSecond(meter.goodRequests, spanMs),
    attainment: meter.attainment(workload),
    ttft: timesOf(meter.ttft),
    tbt: timesOf(meter.tbt),
    ttlt: timesOf(meter.ttlt),
    qoe: meter.qoe.mean,
    preemptions: total.preemptions,
    coverage: meter.coverage,
    wallMs,
  };
  const makespanMs = scheduler.now;
  const details: RunDetails = {
    overshoot: meter.overshoot,
    steps,
    makespanMs,
    busy: busyMs / Math.max(1, makespanMs),
    timeline: meter.timeline(makespanMs),
    gainOf: meter.gainOf,
  };
  return { run, details };
}

function timesOf(tally: Tally): Times {
  const at = (q: number) => tally.quantile(q) ?? null;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function perSecond(amount: number, ms: number): number {
  return ms > 0 ? (amount * 1000) / ms : amount;
}

/** Watches a replay and counts. */
class Meter {
  readonly ttft = new Tally();
  readonly tbt = new Tally();
  readonly ttlt = new Tally();
  readonly qoe = new QualityOfExperience();
  goodTokens = 0;
  goodRequests = 0;
  gain = 0;
  readonly gainOf: Partial<Record<SloClass, number>> = {};
  readonly #met = new Map<SloClass, number>();
  readonly #lastTokenMs = new Map<Request, number>();
  readonly #bounds = new Map<Request, number>();
  readonly #gains: { atMs: number; gain: number }[] = [];
  readonly #requests: number;
  readonly #onProgress: ((share: number) => void) | undefined;
  #finished = 0;
  #judged = 0;
  #covered = 0;
  #excess = 0;
  #excessOfMax = 0;

  constructor(requests: number, onProgress?: (share: number) => void) {
    this.#requests = requests;
    this.#onProgress = onProgress;
  }

  get coverage(): number | null {
    return this.#judged > 0 ? this.#covered / this.#judged : null;
  }

  get overshoot(): number | null {
    return this.#excessOfMax > 0 ? this.#excess / this.#excessOfMax : null;
  }

  submitted(request: Request): void {
    if (this.#finished >= WARM_UP && request.estimate !== undefined) {
      this.#bounds.set(request, request.estimate.bound);
    }
  }

  token(request: Request, nowMs: number): void {
    const last = this.#lastTokenMs.get(request);
    if (last === undefined) this.ttft.push(nowMs - request.arrivalMs);
    else this.tbt.push(nowMs - last);
    this.#lastTokenMs.set(request, nowMs);
    this.qoe.token(request, nowMs);
  }

  finished(request: Request, scheduler: Scheduler): void {
    this.#finished++;
    this.#lastTokenMs.delete(request);
    this.qoe.ended(request);
    this.#judge(request);
    if (request.program === undefined) {
      this.ttlt.push((request.endMs ?? 0) - request.arrivalMs);
      if (metSlo(request)) this.#good(request.class, [request], scheduler.gain);
      this.#earn(request.class, request.gain, request.endMs ?? 0);
    }
    if (this.#finished % 64 === 0) this.#onProgress?.(this.#finished / this.#requests);
  }

  programEnded(program: Program, gain: number, scheduler: Scheduler): void {
    const endMs = program.endMs ?? 0;
    this.ttlt.push(endMs - program.startMs);
    if (endMs <= program.deadlineMs) this.#good('program', program.calls, scheduler.gain);
    this.#earn('program', gain, endMs);
  }

  attainment(workload: Workload): LabRun['attainment'] {
    const asked = new Map<SloClass, number>();
    for (const arrival of workload.arrivals) {
      const name = classOf(arrival);
      asked.set(name, (asked.get(name) ?? 0) + 1);
    }
    return Object.fromEntries(
      [...asked].map(([name, count]) => [name, (this.#met.get(name) ?? 0) / count]),
    );
  }

  timeline(endMs: number): { atMs: number; gain: number }[] {
    let at = 0;
    return Array.from({ length: TIMELINE_POINTS + 1 }, (_, i) => {
      const atMs = (endMs * i) / TIMELINE_POINTS;
      while (at < this.#gains.length && this.#gains[at].atMs <= atMs) at++;
      return { atMs, gain: at === 0 ? 0 : this.#gains[at - 1].gain };
    });
  }

  #earn(name: SloClass, gain: number, nowMs: number): void {
    this.gain += gain;
    this.gainOf[name] = (this.gainOf[name] ?? 0) + gain;
    this.#gains.push({ atMs: nowMs, gain: this.gain });
  }

  #good(name: SloClass, requests: readonly Request[], gain: GainConfig): void {
    this.#met.set(name, (this.#met.get(name) ?? 0) + 1);
    this.goodRequests += requests.length;
    for (const request of requests) {
      this.goodTokens += weightedTokens(request, request.generated, gain);
    }
  }

  #judge(request: Request): void {
    const bound = this.#bounds.get(request);
    if (bound === undefined) return;
    this.#bounds.delete(request);
    this.#judged++;
    if (request.generated <= bound) this.#covered++;
    this.#excess += Math.max(0, bound - request.generated);
    this.#excessOfMax += request.maxTokens - request.generated;
  }
}

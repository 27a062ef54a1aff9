import { type GainConfig, metSlo, weightedTokens } from './gain';
import type { CalibrationSnapshot } from './predict/calibration';
import type { WaitingTimeSnapshot } from './predict/waiting-time';
import type { Request } from './request';
import type { SloClass } from './slo';
import { type Percentiles, Tally } from './tally';

/** What happened to one group of requests (an app's, a class's, everybody's). */
export interface GroupSnapshot {
  submitted: number;
  finished: number;
  aborted: number;
  rejected: number;
  failed: number;
  /** Finished requests that met their SLO. */
  met: number;
  /** met / finished; undefined before the first finish. */
  attainment?: number;
  promptTokens: number;
  outputTokens: number;
  /** Service gain earned. */
  gain: number;
  /** The same work's gain, had all of it been in time; never less than `gain`. */
  possibleGain: number;
  /** Weighted tokens of requests that met their SLO. */
  goodTokens: number;
  preemptions: number;
  ttft: Percentiles;
  tbt: Percentiles;
  ttlt: Percentiles;
}

class Group {
  submitted = 0;
  finished = 0;
  aborted = 0;
  rejected = 0;
  failed = 0;
  met = 0;
  promptTokens = 0;
  outputTokens = 0;
  gain = 0;
  possibleGain = 0;
  goodTokens = 0;
  preemptions = 0;
  readonly ttft = new Tally();
  readonly tbt = new Tally();
  readonly ttlt = new Tally();

  snapshot(): GroupSnapshot {
    return {
      submitted: this.submitted,
      finished: this.finished,
      aborted: this.aborted,
      rejected: this.rejected,
      failed: this.failed,
      met: this.met,
      attainment: this.finished > 0 ? this.met / this.finished : undefined,
      promptTokens: this.promptTokens,
      outputTokens: this.outputTokens,
      gain: this.gain,
      possibleGain: this.possibleGain,
      goodTokens: this.goodTokens,
      preemptions: this.preemptions,
      ttft: this.ttft.percentiles,
      tbt: this.tbt.percentiles,
      ttlt: this.ttlt.percentiles,
    };
  }
}

export interface MetricsSnapshot {
  total: GroupSnapshot;
  byApp: Record<string, GroupSnapshot>;
  byClass: Partial<Record<SloClass, GroupSnapshot>>;
  steps: number;
  /** GPU time of all steps, ms. */
  busyMs: number;
  /** How good the bounds of the output length turned out to be. */
  lengths: CalibrationSnapshot;
  /** How good the waiting times told at submission turned out to be. */
  waits: WaitingTimeSnapshot;
}

/** Apps that are counted by themselves. Beyond, the one with the fewest requests is counted no longer. */
const MAX_APPS = 256;

/** Who knows what the metrics do not count themselves. */
export interface MetricsSources {
  lengths(): CalibrationSnapshot;
  waits(): WaitingTimeSnapshot;
}

const NOTHING_KNOWN: MetricsSources = {
  lengths: () => ({ count: 0 }),
  waits: () => ({ count: 0 }),
};

/** Counts everything that happens to requests: in all, per app and per class. */
export class Metrics {
  readonly #gain: GainConfig;
  readonly #sources: MetricsSources;
  readonly #total = new Group();
  readonly #byApp = new Map<string, Group>();
  readonly #byClass = new Map<SloClass, Group>();
  #steps = 0;
  #busyMs = 0;

  constructor(gain: GainConfig, sources: MetricsSources = NOTHING_KNOWN) {
    this.#gain = gain;
    this.#sources = sources;
  }

  submitted(request: Request): void {
    for (const group of this.#groups(request)) group.submitted++;
  }

  stepped(durationMs: number): void {
    this.#steps++;
    this.#busyMs += durationMs;
  }

  /** An output token came `sinceLastMs` after the one before (or after arrival, for the first). */
  token(request: Request, sinceLastMs: number): void {
    for (const group of this.#groups(request)) {
      group.outputTokens++;
      if (request.generated === 1) {
        group.promptTokens += request.promptTokens;
        group.ttft.push(sinceLastMs);
      } else {
        group.tbt.push(sinceLastMs);
      }
    }
  }

  /** A token or a completion earned `gain` of the `possible`, which it would have earned in time. */
  earned(request: Request, gain: number, possible: number): void {
    if (possible === 0) return;
    for (const group of this.#groups(request)) {
      group.gain += gain;
      group.possibleGain += possible;
    }
  }

  preempted(request: Request): void {
    for (const group of this.#groups(request)) group.preemptions++;
  }

  ended(request: Request): void {
    const end = request.end;
    if (end === undefined || request.endMs === undefined) return;
    const tokens = weightedTokens(request, request.generated, this.#gain);
    for (const group of this.#groups(request)) {
      group[end.kind]++;
      if (end.kind !== 'finished') continue;
      group.ttlt.push(request.endMs - request.arrivalMs);
      if (metSlo(request)) {
        group.met++;
        group.goodTokens += tokens;
      }
    }
  }

  snapshot(): MetricsSnapshot {
    const byApp = Object.fromEntries(
      Array.from(this.#byApp, ([app, group]) => [app, group.snapshot()]),
    );
    const byClass: Partial<Record<SloClass, GroupSnapshot>> = {};
    for (const [name, group] of this.#byClass) byClass[name] = group.snapshot();
    return {
      total: this.#total.snapshot(),
      byApp,
      byClass,
      steps: this.#steps,
      busyMs: this.#busyMs,
      lengths: this.#sources.lengths(),
      waits: this.#sources.waits(),
    };
  }

  #groups(request: Request): [Group, Group, Group] {
    return [this.#total, groupOf(this.#byApp, request.app), groupOf(this.#byClass, request.class)];
  }
}

function groupOf<Key>(groups: Map<Key, Group>, key: Key): Group {
  let group = groups.get(key);
  if (group === undefined) {
    if (groups.size >= MAX_APPS) groups.delete(smallest(groups));
    group = new Group();
    groups.set(key, group);
  }
  return group;
}

function smallest<Key>(groups: Map<Key, Group>): Key {
  let [least] = groups;
  for (const entry of groups) if (entry[1].submitted < least[1].submitted) least = entry;
  return least[0];
}

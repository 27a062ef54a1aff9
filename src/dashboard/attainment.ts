import type { MetricsSnapshot, RequestTrace, Snapshot } from '../client';

interface Counts {
  finished: number;
  met: number;
}

interface Sample {
  atMs: number;
  byApp: ReadonlyMap<string, Counts>;
}

/** Each app's share of requests in time, 0 to 1; an app of which nothing is known is not in it. */
export type Attainment = ReadonlyMap<string, number>;

/** How recent attainment looks back, ms. */
export const WINDOW_MS = 20_000;

/** Later than this, a live request counts as a miss before it ends, ms. */
const OVERDUE_MS = 250;

const NONE: Counts = { finished: 0, met: 0 };

/**
 * Attainment of late: of the requests that finished since `WINDOW_MS` ago or the last `restart`
 * (whichever is later), and those overdue now, the share that met its SLO.
 */
export class RecentAttainment {
  #samples: Sample[] = [];

  /** Looks no further back than this moment from now on. */
  restart(): void {
    this.#samples = this.#samples.slice(-1);
  }

  add({ atMs, metrics, requests }: Snapshot): Attainment {
    const now: Sample = { atMs, byApp: countsOf(metrics) };
    if (isBefore(now, this.#samples.at(-1))) this.#samples = [];
    this.#samples.push(now);
    while (this.#samples.length > 1 && this.#samples[0].atMs < atMs - WINDOW_MS) {
      this.#samples.shift();
    }
    const overdue = new Map<string, number>();
    for (const request of requests) {
      if (isOverdue(request, atMs)) overdue.set(request.app, (overdue.get(request.app) ?? 0) + 1);
    }
    const shares = new Map<string, number>();
    for (const [app, counts] of now.byApp) {
      const first = this.#samples[0].byApp.get(app) ?? NONE;
      const finished = counts.finished - first.finished + (overdue.get(app) ?? 0);
      if (finished > 0) shares.set(app, (counts.met - first.met) / finished);
    }
    return shares;
  }
}

function isOverdue(request: RequestTrace, nowMs: number): boolean {
  return request.dueMs !== undefined && nowMs > request.dueMs + OVERDUE_MS;
}

function countsOf({ byApp }: MetricsSnapshot): ReadonlyMap<string, Counts> {
  return new Map(Object.entries(byApp).map(([app, { finished, met }]) => [app, { finished, met }]));
}

/** Counters that fell belong to a new engine. */
function isBefore(now: Sample, last: Sample | undefined): boolean {
  if (last === undefined) return false;
  if (now.atMs < last.atMs) return true;
  return [...last.byApp].some(
    ([app, { finished }]) => (now.byApp.get(app) ?? NONE).finished < finished,
  );
}

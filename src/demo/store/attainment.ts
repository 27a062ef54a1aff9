import type { MetricsSnapshot, RequestTrace, Snapshot } from '../../client';
import { APP_NAMES, type AppName } from '../design/apps';

interface Counts {
  finished: number;
  met: number;
}

interface Sample {
  atMs: number;
  byApp: Record<AppName, Counts>;
}

/** How recent attainment looks back, ms. */
export const WINDOW_MS = 20_000;

/** Later than this, a live request counts as a miss before it ends, ms. */
const OVERDUE_MS = 250;

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

  add(snapshot: Snapshot): Record<AppName, number | undefined> {
    const now: Sample = { atMs: snapshot.atMs, byApp: countsOf(snapshot.metrics) };
    if (isBefore(now, this.#samples.at(-1))) this.#samples = [];
    this.#samples.push(now);
    while (this.#samples.length > 1 && this.#samples[0].atMs < now.atMs - WINDOW_MS) {
      this.#samples.shift();
    }
    const [first] = this.#samples;
    const share = (app: AppName) => {
      const late = snapshot.requests.filter((r) => r.app === app && isOverdue(r, now.atMs)).length;
      const finished = now.byApp[app].finished - first.byApp[app].finished + late;
      if (finished === 0) return undefined;
      return (now.byApp[app].met - first.byApp[app].met) / finished;
    };
    return { chat: share('chat'), agent: share('agent'), summarizer: share('summarizer') };
  }
}

export function isOverdue(request: RequestTrace, nowMs: number): boolean {
  return request.dueMs !== undefined && nowMs > request.dueMs + OVERDUE_MS;
}

function countsOf(metrics: MetricsSnapshot): Record<AppName, Counts> {
  const counts = (app: AppName): Counts => ({
    finished: metrics.byApp[app]?.finished ?? 0,
    met: metrics.byApp[app]?.met ?? 0,
  });
  return { chat: counts('chat'), agent: counts('agent'), summarizer: counts('summarizer') };
}

/** Counters that fell belong to a new engine. */
function isBefore(now: Sample, last: Sample | undefined): boolean {
  if (last === undefined) return false;
  return (
    now.atMs < last.atMs ||
    APP_NAMES.some((app) => now.byApp[app].finished < last.byApp[app].finished)
  );
}

import type { Snapshot } from '../../client';
import { APP_NAMES, type AppName } from '../design/apps';

/** One point of the charts. */
export interface Point {
  atMs: number;
  tokensPerSecond: Record<AppName, number>;
  gain: Record<AppName, number>;
  usedPages: number;
  totalPages: number;
}

const EVERY_MS = 500;
const KEPT = 120;
/** Token rates are taken over this stretch, ms. */
const RATE_MS = 2000;

interface Totals {
  atMs: number;
  tokens: Record<AppName, number>;
}

/** The last minute of the counters, for the charts; `version` tells whether there is a new point. */
export class Series {
  readonly points: Point[] = [];
  version = 0;
  #totals: Totals[] = [];

  add({ atMs, metrics, kv }: Snapshot): void {
    const last = this.points.at(-1);
    if (last !== undefined && atMs < last.atMs) this.clear();
    if (last !== undefined && atMs - last.atMs < EVERY_MS && atMs >= last.atMs) return;
    const total: Totals = {
      atMs,
      tokens: perApp((app) => metrics.byApp[app]?.outputTokens ?? 0),
    };
    this.#totals.push(total);
    while (this.#totals.length > 1 && this.#totals[0].atMs < atMs - RATE_MS) this.#totals.shift();
    const [first] = this.#totals;
    const spanMs = Math.max(1, atMs - first.atMs);
    this.points.push({
      atMs,
      tokensPerSecond: perApp((app) =>
        Math.max(0, ((total.tokens[app] - first.tokens[app]) * 1000) / spanMs),
      ),
      gain: perApp((app) => metrics.byApp[app]?.gain ?? 0),
      usedPages: kv.totalPages - kv.freePages,
      totalPages: kv.totalPages,
    });
    if (this.points.length > KEPT) this.points.shift();
    this.version++;
  }

  clear(): void {
    this.points.length = 0;
    this.#totals = [];
  }
}

function perApp(value: (app: AppName) => number): Record<AppName, number> {
  const [chat, agent, summarizer] = APP_NAMES.map(value);
  return { chat, agent, summarizer };
}

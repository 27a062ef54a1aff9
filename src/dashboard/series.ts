import type { Snapshot } from '../client';

/** One point of the charts. */
export interface Point {
  atMs: number;
  /** Output tokens per second, by app. */
  tokensPerSecond: ReadonlyMap<string, number>;
  usedPages: number;
}

const EVERY_MS = 500;
const KEPT = 120;
/** Token rates are taken over this stretch, ms. */
const RATE_MS = 2000;

interface Totals {
  atMs: number;
  tokens: ReadonlyMap<string, number>;
}

/** The last minute of the counters, for the charts; `version` tells whether there is a new point. */
export class Series {
  readonly points: Point[] = [];
  version = 0;
  #totals: Totals[] = [];

  add({ atMs, metrics, kv }: Snapshot): void {
    const last = this.points.at(-1);
    if (last !== undefined && atMs < last.atMs) this.#clear();
    if (last !== undefined && atMs - last.atMs < EVERY_MS && atMs >= last.atMs) return;
    const groups = Object.entries(metrics.byApp);
    const tokens = new Map(groups.map(([app, { outputTokens }]) => [app, outputTokens]));
    this.#totals.push({ atMs, tokens });
    while (this.#totals.length > 1 && this.#totals[0].atMs < atMs - RATE_MS) this.#totals.shift();
    const [first] = this.#totals;
    const spanMs = Math.max(1, atMs - first.atMs);
    const rate = (app: string, count: number) =>
      Math.max(0, ((count - (first.tokens.get(app) ?? 0)) * 1000) / spanMs);
    this.points.push({
      atMs,
      tokensPerSecond: new Map([...tokens].map(([app, count]) => [app, rate(app, count)])),
      usedPages: kv.totalPages - kv.freePages,
    });
    if (this.points.length > KEPT) this.points.shift();
    this.version++;
  }

  #clear(): void {
    this.points.length = 0;
    this.#totals = [];
  }
}

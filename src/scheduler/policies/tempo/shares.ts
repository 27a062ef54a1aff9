import type { Tuning } from './tuning';

interface Use {
  /** GPU time served, fading, ms. */
  servedMs: number;
  /** GPU time that its live requests still need, ms. */
  neededMs: number;
  live: number;
}

/**
 * What each app takes of the GPU. An app whose own demand, what it was served of late and what it
 * asks for now, stays within its fair share goes before those that ask for more: so nobody can crowd
 * it out. Shares are equal, or by weight (as in virtual token counters: Sheng et al., "Fairness in
 * Serving Large Language Models", OSDI '24).
 */
export class AppShares {
  readonly #weights: Readonly<Record<string, number>>;
  readonly #windowMs: number;
  readonly #uses = new Map<string, Use>();
  /** Apps with live requests, and their weights in all. */
  #liveApps = 0;
  #liveWeight = 0;
  #fadedMs = 0;

  constructor({ appWindowMs }: Tuning, weights: Readonly<Record<string, number>> = {}) {
    this.#windowMs = appWindowMs;
    this.#weights = weights;
  }

  submitted(app: string): void {
    const use = this.#uses.get(app) ?? { servedMs: 0, neededMs: 0, live: 0 };
    if (use.live++ === 0) this.#count(app, 1);
    this.#uses.set(app, use);
  }

  ended(app: string): void {
    const use = this.#uses.get(app);
    if (use !== undefined && --use.live === 0) this.#count(app, -1);
  }

  /** Its live requests need so much more, or less, than was thought, ms. */
  needs(app: string, ms: number): void {
    const use = this.#uses.get(app);
    if (use !== undefined) use.neededMs += ms;
  }

  served(app: string, ms: number): void {
    const use = this.#uses.get(app);
    if (use !== undefined) use.servedMs += ms;
  }

  /** The apps that go first, `limit` of them at most, the lightest before the others. None where there is only one. */
  light(nowMs: number, limit: number): string[] {
    this.#fade(nowMs);
    const live = [...this.#uses].filter(([, use]) => use.live > 0);
    if (live.length < 2) return [];
    const all = live.reduce((sum, [app]) => sum + this.#weight(app), 0);
    return live
      .map(([app, { servedMs, neededMs }]) => ({
        app,
        needMs: ((servedMs + neededMs) * all) / this.#weight(app),
      }))
      .filter(({ needMs }) => needMs <= this.#windowMs)
      .sort((a, b) => a.needMs - b.needMs)
      .slice(0, limit)
      .map(({ app }) => app);
  }

  /** Whether an app would still be among them with a request that needs so much, ms. */
  stays(app: string, ms: number): boolean {
    const own = this.#uses.get(app);
    const isLive = own !== undefined && own.live > 0;
    const others = this.#liveApps - (isLive ? 1 : 0);
    if (others === 0) return false;
    const { servedMs, neededMs } = own ?? { servedMs: 0, neededMs: 0 };
    const weight = this.#weight(app);
    const all = this.#liveWeight + (isLive ? 0 : weight);
    return ((servedMs + neededMs + ms) * all) / weight <= this.#windowMs;
  }

  /** An app has live requests now, or none any more. */
  #count(app: string, change: 1 | -1): void {
    this.#liveApps += change;
    this.#liveWeight += change * this.#weight(app);
  }

  #weight(app: string): number {
    return Math.max(1e-3, Object.hasOwn(this.#weights, app) ? this.#weights[app] : 1);
  }

  #fade(nowMs: number): void {
    const factor = Math.exp(-(nowMs - this.#fadedMs) / this.#windowMs);
    this.#fadedMs = nowMs;
    for (const [app, use] of this.#uses) {
      use.servedMs *= factor;
      if (use.live === 0 && use.servedMs < 1) this.#uses.delete(app);
    }
  }
}

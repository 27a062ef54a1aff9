import type { Tuning } from './tuning';

interface Use {
  /** GPU time served, as it would be now had it not faded since the inflation began, ms. */
  servedMs: number;
  /** GPU time that its live requests still need, ms. */
  neededMs: number;
  live: number;
  readonly weight: number;
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
  /** What was served fades since then, ms. */
  #sinceMs = 0;
  /** What is served now counts so many times as much as what was served then. */
  #inflation = 1;

  constructor({ appWindowMs }: Tuning, weights: Readonly<Record<string, number>> = {}) {
    this.#windowMs = appWindowMs;
    this.#weights = weights;
  }

  submitted(app: string): void {
    let use = this.#uses.get(app);
    if (use === undefined) {
      use = { servedMs: 0, neededMs: 0, live: 0, weight: this.#weight(app) };
      this.#uses.set(app, use);
    }
    if (use.live++ > 0) return;
    this.#liveApps++;
    this.#liveWeight += use.weight;
  }

  ended(app: string): void {
    const use = this.#uses.get(app);
    if (use === undefined || --use.live > 0) return;
    this.#liveApps--;
    this.#liveWeight -= use.weight;
  }

  /** Its live requests need so much more, or less, than was thought, ms. */
  needs(app: string, ms: number): void {
    const use = this.#uses.get(app);
    if (use !== undefined) use.neededMs += ms;
  }

  served(app: string, ms: number): void {
    const use = this.#uses.get(app);
    if (use !== undefined) use.servedMs += ms * this.#inflation;
  }

  /** The apps that go first, `limit` of them at most, the lightest before the others. None where there is only one. */
  light(nowMs: number, limit: number): string[] {
    this.#fade(nowMs);
    if (this.#liveApps < 2) return [];
    const light: { app: string; needMs: number }[] = [];
    for (const [app, use] of this.#uses) {
      if (use.live === 0) continue;
      const needMs = this.#needMs(use, this.#liveWeight);
      if (needMs <= this.#windowMs) light.push({ app, needMs });
    }
    light.sort((a, b) => a.needMs - b.needMs);
    return light.slice(0, limit).map(({ app }) => app);
  }

  /** Whether an app would still be among them with a request that needs so much, ms. */
  stays(app: string, ms: number): boolean {
    const own = this.#uses.get(app) ?? {
      servedMs: 0,
      neededMs: 0,
      live: 0,
      weight: this.#weight(app),
    };
    const isLive = own.live > 0;
    if (this.#liveApps - (isLive ? 1 : 0) === 0) return false;
    const all = this.#liveWeight + (isLive ? 0 : own.weight);
    return this.#needMs({ ...own, neededMs: own.neededMs + ms }, all) <= this.#windowMs;
  }

  /** What it takes, scaled as if its weight were all weight, ms. */
  #needMs({ servedMs, neededMs, weight }: Use, allWeight: number): number {
    return ((servedMs / this.#inflation + neededMs) * allWeight) / weight;
  }

  #weight(app: string): number {
    return Math.max(1e-3, Object.hasOwn(this.#weights, app) ? this.#weights[app] : 1);
  }

  /** One number fades all; now and then each is brought up to date, and the forgotten go. */
  #fade(nowMs: number): void {
    this.#inflation = Math.exp((nowMs - this.#sinceMs) / this.#windowMs);
    if (this.#inflation < 1000) return;
    for (const [app, use] of this.#uses) {
      use.servedMs /= this.#inflation;
      if (use.live === 0 && use.servedMs < 1) this.#uses.delete(app);
    }
    this.#inflation = 1;
    this.#sinceMs = nowMs;
  }
}

/** Weighted tokens that an app may be ahead of the least served before its rank falls to half. */
const HALVING = 2048;

/**
 * Virtual token counters per app (Sheng et al., "Fairness in Serving Large Language Models",
 * OSDI '24): each app's served tokens over its weight. An app that was idle starts again no lower
 * than the least served of those that are active, so that idling saves up nothing.
 */
export class FairShare {
  readonly #weights: Readonly<Record<string, number>>;
  readonly #counters = new Map<string, { served: number; live: number }>();

  constructor(weights: Readonly<Record<string, number>>) {
    this.#weights = weights;
  }

  submitted(app: string): void {
    const counter = this.#counters.get(app) ?? { served: 0, live: 0 };
    if (counter.live === 0) {
      const least = this.#least();
      if (least !== undefined) counter.served = Math.max(counter.served, least);
    }
    counter.live++;
    this.#counters.set(app, counter);
  }

  ended(app: string): void {
    const counter = this.#counters.get(app);
    if (counter !== undefined) counter.live--;
  }

  /** `weightedTokens` of this app were computed. */
  served(app: string, weightedTokens: number): void {
    const counter = this.#counters.get(app);
    const weight = Math.max(1e-3, this.#weights[app] ?? 1);
    if (counter !== undefined) counter.served += weightedTokens / weight;
  }

  /** What this app's rank is multiplied by, in (0, 1]: 1 for the least served. */
  factor(app: string): number {
    const counter = this.#counters.get(app);
    const least = this.#least();
    if (counter === undefined || least === undefined) return 1;
    return 0.5 ** Math.min(20, Math.max(0, counter.served - least) / HALVING);
  }

  #least(): number | undefined {
    let least: number | undefined;
    for (const { served, live } of this.#counters.values()) {
      if (live > 0 && (least === undefined || served < least)) least = served;
    }
    return least;
  }
}

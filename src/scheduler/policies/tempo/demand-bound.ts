import type { Demand } from './appraise';
import type { Tuning } from './tuning';

/**
 * The demand bound of schedulability analysis (Baruah, Mok and Rosier, RTSS '90), on a grid of
 * horizons: a set of obligations can be kept, served in deadline order, if for every horizon the
 * work that has to be done by then fits into the time until then.
 */
export class DemandBound {
  /** It looks so far ahead, ms: who need not begin before is no burden yet. */
  readonly reachMs: number;
  /** On the scheduler's clock, each √2 as far ahead as the one before, ms. */
  #horizons: number[] = [];
  /** What could be promised by each at first, and what still can be, ms. */
  #capacity: number[] = [];
  #free: number[] = [];
  /** Of the demand looked at last, ms. */
  readonly #due: number[] = [];
  #nowMs = 0;

  constructor({ shareWindowMs }: Tuning) {
    this.reachMs = shareWindowMs;
  }

  /** Starts over with nothing promised: a share (0 to 1) of all time from now, and some tolerance. */
  reset(nowMs: number, share: number, toleranceMs: number): void {
    this.#nowMs = nowMs;
    const count = Math.ceil(2 * Math.log2(this.reachMs / Math.max(1, toleranceMs)));
    const spans = Array.from(
      { length: count },
      (_, i) => this.reachMs / Math.SQRT2 ** (count - 1 - i),
    );
    this.#horizons = spans.map((spanMs) => nowMs + spanMs);
    this.#capacity = spans.map((spanMs) => share * spanMs + toleranceMs);
    this.#free = [...this.#capacity];
  }

  /** Whether this much more can be promised. */
  fits(demand: Demand): boolean {
    return this.#leastOf(demand) >= 0;
  }

  /** Promises it, if it can be. */
  take(demand: Demand): boolean {
    const from = this.#leastOf(demand);
    for (let i = Math.max(0, from); from >= 0 && i < this.#free.length; i++) {
      this.#free[i] -= this.#due[i];
    }
    return from >= 0;
  }

  /** Work that is promised to be done by then, ms. */
  workBy(atMs: number): number {
    const found = this.#horizons.findIndex((horizonMs) => horizonMs >= atMs);
    const at = found < 0 ? this.#free.length - 1 : found;
    return at < 0 ? 0 : Math.max(0, this.#capacity[at] - this.#free[at]);
  }

  /**
   * Notes what of it has to be done by each horizon, down to the first one by which anything has, which
   * it returns; -1 where there is not enough left for it.
   */
  #leastOf({ fromMs, toMs, workMs, headMs, headDueMs }: Demand): number {
    const restMs = workMs - headMs;
    // What is late already is asked for from now on.
    const beginMs = Math.max(fromMs, this.#nowMs);
    let least = this.#free.length;
    for (let i = least - 1; i >= 0; i--) {
      const atMs = this.#horizons[i];
      let dueMs = atMs >= headDueMs ? headMs : 0;
      if (atMs >= toMs) dueMs += restMs;
      else if (atMs > beginMs) dueMs += (restMs * (atMs - beginMs)) / (toMs - beginMs);
      if (dueMs <= 0) break;
      if (dueMs > this.#free[i]) return -1;
      this.#due[i] = dueMs;
      least = i;
    }
    return least;
  }
}

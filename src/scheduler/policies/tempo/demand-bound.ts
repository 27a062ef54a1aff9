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
    for (let i = this.#free.length - 1; i >= 0; i--) {
      const dueMs = this.#dueBy(demand, this.#horizons[i]);
      if (dueMs <= 0) return true;
      if (dueMs > this.#free[i]) return false;
    }
    return true;
  }

  /** Promises it. */
  take(demand: Demand): void {
    for (let i = this.#free.length - 1; i >= 0; i--) {
      const dueMs = this.#dueBy(demand, this.#horizons[i]);
      if (dueMs <= 0) return;
      this.#free[i] -= dueMs;
    }
  }

  /** Work that is promised to be done by then, ms. */
  workBy(atMs: number): number {
    const found = this.#horizons.findIndex((horizonMs) => horizonMs >= atMs);
    const at = found < 0 ? this.#free.length - 1 : found;
    return at < 0 ? 0 : Math.max(0, this.#capacity[at] - this.#free[at]);
  }

  /** Work of it to be done by then, ms. */
  #dueBy({ fromMs, toMs, workMs, headMs, headDueMs }: Demand, atMs: number): number {
    const rest = workMs - headMs;
    const head = atMs >= headDueMs ? headMs : 0;
    if (atMs >= toMs) return rest + head;
    // What is late already is asked for from now on.
    const from = Math.max(fromMs, this.#nowMs);
    return atMs <= from ? head : head + (rest * (atMs - from)) / (toMs - from);
  }
}

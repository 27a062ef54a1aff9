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
  /** ms from now, each √2 of the one before. */
  #horizons: number[] = [];
  /** Capacity not yet promised, by horizon, ms. */
  #free: number[] = [];
  #nowMs = 0;
  #share = 1;
  #toleranceMs = 0;

  constructor({ shareWindowMs }: Tuning) {
    this.reachMs = shareWindowMs;
  }

  /** Starts over with nothing promised: a share (0 to 1) of all time from now, and some tolerance. */
  reset(nowMs: number, share: number, toleranceMs: number): void {
    this.#nowMs = nowMs;
    this.#share = share;
    this.#toleranceMs = toleranceMs;
    const count = Math.ceil(2 * Math.log2(this.reachMs / Math.max(1, toleranceMs)));
    this.#horizons = Array.from(
      { length: count },
      (_, i) => this.reachMs / Math.SQRT2 ** (count - 1 - i),
    );
    this.#free = this.#horizons.map((horizonMs) => share * horizonMs + toleranceMs);
  }

  /** Whether this much more can be promised. */
  fits(demand: Demand): boolean {
    for (let i = this.#free.length - 1; i >= 0; i--) {
      const due = this.#dueBy(demand, this.#horizons[i]);
      if (due <= 0) return true;
      if (due > this.#free[i]) return false;
    }
    return true;
  }

  /** Promises it. */
  take(demand: Demand): void {
    for (let i = this.#free.length - 1; i >= 0; i--) {
      const due = this.#dueBy(demand, this.#horizons[i]);
      if (due <= 0) return;
      this.#free[i] -= due;
    }
  }

  /** Work that is promised to be done by then, ms. */
  workBy(atMs: number): number {
    const at = this.#horizons.findIndex((horizonMs) => this.#nowMs + horizonMs >= atMs);
    const horizonMs = this.#horizons.at(at);
    const free = this.#free.at(at);
    if (horizonMs === undefined || free === undefined) return 0;
    return Math.max(0, this.#share * horizonMs + this.#toleranceMs - free);
  }

  /** Work of it to be done within `horizonMs` from now, ms. */
  #dueBy({ fromMs, toMs, workMs, headMs, headDueMs }: Demand, horizonMs: number): number {
    const atMs = this.#nowMs + horizonMs;
    const rest = workMs - headMs;
    const head = atMs >= headDueMs ? headMs : 0;
    if (atMs >= toMs) return rest + head;
    // What is late already is asked for from now on.
    const from = Math.max(fromMs, this.#nowMs);
    if (atMs <= from) return head;
    return head + (rest * (atMs - from)) / (toMs - from);
  }
}

/** Work that has to be done in a span of time: evenly from `fromMs` to `toMs`, both counted from now. */
export interface Ramp {
  fromMs: number;
  toMs: number;
  /** GPU time, ms. */
  workMs: number;
  /** Of it, what has to be done at once by `headDueMs` (a stream's prompt), ms. */
  headMs: number;
  headDueMs: number;
}

/** Horizons: so many, the first in ms, each longer than the one before by the ratio. */
const HORIZONS = 28;
const FIRST_MS = 200;
const RATIO = 1.36;

/**
 * The demand bound of schedulability analysis (Baruah, Mok and Rosier, RTSS '90), on a grid of
 * horizons: a set of obligations can be kept, served in deadline order, if for every horizon the
 * work that has to be done by then fits into the time until then.
 */
export class DemandBound {
  readonly #horizons = new Float64Array(HORIZONS);
  /** Capacity not yet promised, by horizon, ms. */
  readonly #free = new Float64Array(HORIZONS);

  constructor() {
    for (let i = 0; i < HORIZONS; i++) this.#horizons[i] = FIRST_MS * RATIO ** i;
  }

  /** Starts over with nothing promised: a share (0 to 1) of all time from now, and some tolerance. */
  reset(share: number, toleranceMs: number): void {
    for (let i = 0; i < HORIZONS; i++) this.#free[i] = share * this.#horizons[i] + toleranceMs;
  }

  /** Whether this much more can be promised. */
  fits(ramp: Ramp): boolean {
    for (let i = HORIZONS - 1; i >= 0; i--) {
      const due = dueBy(ramp, this.#horizons[i]);
      if (due <= 0) return true;
      if (due > this.#free[i]) return false;
    }
    return true;
  }

  /** Promises it. */
  take(ramp: Ramp): void {
    for (let i = HORIZONS - 1; i >= 0; i--) {
      const due = dueBy(ramp, this.#horizons[i]);
      if (due <= 0) return;
      this.#free[i] -= due;
    }
  }
}

function dueBy(ramp: Ramp, horizonMs: number): number {
  const { fromMs, toMs, headMs, headDueMs } = ramp;
  const workMs = ramp.workMs - headMs;
  const head = horizonMs >= headDueMs ? headMs : 0;
  if (horizonMs >= toMs) return workMs + head;
  if (horizonMs <= fromMs) return head;
  return head + (workMs * (horizonMs - fromMs)) / (toMs - fromMs);
}

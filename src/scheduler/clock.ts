/** Monotonic time in milliseconds. The scheduler never reads a wall clock; one is passed in. */
export interface Clock {
  now(): number;
}

/** A clock that moves only when told to: the lab's, and the tests'. */
export class VirtualClock implements Clock {
  #now: number;

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`time only moves forward, got ${ms} ms`);
    this.#now += ms;
  }

  /** Moves to `ms` if it lies ahead; never back. */
  advanceTo(ms: number): void {
    if (ms > this.#now) this.#now = ms;
  }
}

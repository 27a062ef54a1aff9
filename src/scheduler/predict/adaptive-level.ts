/** How far one outcome moves the level: small, so that the level itself adds little noise. */
const RATE = 0.008;
/** Levels beyond this ask for lengths that nobody has seen. */
const HIGHEST = 0.995;
/** However well bounds cover, they are not told at a lower level than the target less this. */
const SLACK = 0.1;

/**
 * The quantile level to ask for, so that bounds cover a target share in the long run: raised by every
 * length that was not covered, lowered a little by every one that was (adaptive conformal inference:
 * Gibbs and Candès, "Adaptive Conformal Inference Under Distribution Shift", NeurIPS '21). It makes up
 * for what a table of the past cannot know: lengths that drift, and the short being learnt first.
 */
export class AdaptiveLevel {
  readonly #target: number;
  #level: number;

  /** `target`: share of lengths to cover, 0 to 1. */
  constructor(target: number) {
    this.#target = target;
    this.#level = target;
  }

  /** The level for a table that rests on `count` observations: the (n + 1)-th may be beyond all n. */
  at(count: number): number {
    return Math.min(HIGHEST, this.#level * (1 + 1 / Math.max(1, count)));
  }

  /** What came of a bound. */
  observe(covered: boolean): void {
    const moved = this.#level + RATE * (this.#target - (covered ? 1 : 0));
    this.#level = Math.min(HIGHEST, Math.max(this.#target - SLACK, moved));
  }
}

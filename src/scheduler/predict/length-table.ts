import type { Centroids } from './digest';

/**
 * A distribution of output lengths in tokens, laid out for lookups: a step function over sorted
 * lengths, so that the many answers that end exactly at a limit keep their weight. All lookups are
 * a binary search.
 */
export class LengthTable {
  readonly #lengths: Float64Array;
  /** Weight of lengths [0..i], as a share of all. */
  readonly #upTo: Float64Array;
  /** Weighted sum of lengths [0..i], as a share of all weight: for means. */
  readonly #sumUpTo: Float64Array;

  /** `parts`: distributions to mix, each with the factor its weights count. */
  constructor(parts: readonly { centroids: Centroids; factor: number }[]) {
    const all: { mean: number; n: number }[] = [];
    for (const { centroids, factor } of parts) {
      if (factor <= 0) continue;
      for (const { mean, n } of centroids) all.push({ mean, n: n * factor });
    }
    all.sort((a, b) => a.mean - b.mean);
    const total = all.reduce((sum, { n }) => sum + n, 0);
    this.#lengths = new Float64Array(all.length);
    this.#upTo = new Float64Array(all.length);
    this.#sumUpTo = new Float64Array(all.length);
    let weight = 0;
    let sum = 0;
    for (let i = 0; i < all.length; i++) {
      weight += all[i].n / total;
      sum += (all[i].n / total) * all[i].mean;
      this.#lengths[i] = all[i].mean;
      this.#upTo[i] = weight;
      this.#sumUpTo[i] = sum;
    }
  }

  /** Q(q | L > generated): the length that a share `q` of those longer than `generated` do not pass. */
  quantile(q: number, generated: number): number {
    const last = this.#lengths.length - 1;
    const passed = this.#share(generated);
    const left = this.#upTo[last] - passed;
    if (left <= 1e-9) return generated * 1.5 + 1;
    const target = passed + left * Math.min(1, q) - 1e-12;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#upTo[middle] < target) low = middle + 1;
      else high = middle;
    }
    return Math.max(generated + 1, this.#lengths[low]);
  }

  /** P(L <= length | L > generated). */
  chance(length: number, generated: number): number {
    if (length <= generated) return 0;
    const passed = this.#share(generated);
    const left = 1 - passed;
    return left <= 1e-9 ? 0.5 : Math.min(1, (this.#share(length) - passed) / left);
  }

  /** E[min(L, length) | L > generated]; without `length` the plain conditional mean. */
  mean(generated: number, length = Number.POSITIVE_INFINITY): number {
    const from = this.#index(generated);
    const passed = from < 0 ? 0 : this.#upTo[from];
    const left = 1 - passed;
    if (left <= 1e-9) return Math.min(length, generated * 1.5 + 1);
    const to = this.#index(length);
    const within = to < 0 ? 0 : this.#sumUpTo[to];
    const sum = Math.max(0, within - (from < 0 ? 0 : this.#sumUpTo[from]));
    const beyond = 1 - (to < 0 ? 0 : this.#upTo[to]);
    return (sum + (beyond > 1e-12 ? beyond * length : 0)) / left;
  }

  #share(length: number): number {
    const index = this.#index(length);
    return index < 0 ? 0 : this.#upTo[index];
  }

  /** The last entry of at most `length`, or -1. */
  #index(length: number): number {
    let low = -1;
    let high = this.#lengths.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lengths[middle] <= length) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

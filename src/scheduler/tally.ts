/** Milliseconds at the 50th, 95th and 99th percentile; undefined while there is no observation. */
export interface Percentiles {
  p50?: number;
  p95?: number;
  p99?: number;
  count: number;
}

const RATIO = Math.log(1.01);
/** Below this many ms, everything is one bucket. */
const LEAST_MS = 0.01;

/** Durations counted in buckets 1% wide: quantiles exact to that, at a few nanoseconds an observation. */
export class Tally {
  readonly #counts: number[] = [];
  #count = 0;

  /** Observations. */
  get count(): number {
    return this.#count;
  }

  push(ms: number): void {
    const bucket = ms <= LEAST_MS ? 0 : 1 + Math.floor(Math.log(ms / LEAST_MS) / RATIO);
    while (this.#counts.length <= bucket) this.#counts.push(0);
    this.#counts[bucket]++;
    this.#count++;
  }

  /** The middle of the bucket where quantile `q` lies, ms. */
  quantile(q: number): number | undefined {
    if (this.#count === 0) return undefined;
    let left = Math.ceil(q * this.#count);
    const bucket = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return bucket <= 0 ? 0 : LEAST_MS * Math.exp((bucket - 0.5) * RATIO);
  }

  get percentiles(): Percentiles {
    return {
      p50: this.quantile(0.5),
      p95: this.quantile(0.95),
      p99: this.quantile(0.99),
      count: this.#count,
    };
  }
}

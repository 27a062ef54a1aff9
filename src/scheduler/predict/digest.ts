import { type Centroid, TDigest } from 'tdigest';
import { type Random, seededRandom } from '../random';

/** A summary of a distribution: means with their weights, in ascending order. Plain data, mergeable. */
export type Centroids = readonly Readonly<Centroid>[];

/** Compression: the most of all weight that one centroid may hold, times 4·p·(1 − p). */
const DELTA = 0.01;
/** Observations gathered before they are digested together: one sort instead of many tree walks. */
const BUFFER = 256;
/** Above this many centroids the digest is compressed. */
const MAX_CENTROIDS = 600;

/**
 * A t-digest (Dunning and Ertl, "Computing Extremely Accurate Quantiles Using t-Digests") that gives
 * the same result for the same observations in the same order: the `tdigest` package shuffles with
 * `Math.random` when it compresses itself, so it is never left to; we shuffle with a seeded source.
 */
export class Digest {
  #digest = new TDigest(DELTA, 0);
  #buffer: number[] = [];
  #count = 0;
  readonly #random: Random = seededRandom(0x7d16e57);

  /** Weight of all observations; forgetting makes it smaller than their number. */
  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    this.#count++;
    if (this.#buffer.push(value) >= BUFFER) this.#flush();
  }

  /** The value at quantile `p` (0 to 1); undefined while there is no observation. */
  percentile(p: number): number | undefined {
    this.#flush();
    return this.#count === 0 ? undefined : this.#digest.percentile(p);
  }

  centroids(): Centroids {
    this.#flush();
    return this.#digest.toArray();
  }

  /** Merges another digest's observations into this one. */
  absorb(centroids: Centroids): void {
    this.#flush();
    for (const { n } of centroids) this.#count += n;
    this.#feed(centroids.map(({ mean, n }) => ({ mean, n })));
  }

  /** Makes everything seen so far count `factor` (0 to 1) as much; what counts for next to nothing goes. */
  forget(factor: number): void {
    const kept = this.centroids()
      .map(({ mean, n }) => ({ mean, n: n * factor }))
      .filter(({ n }) => n >= 0.05);
    this.#digest = new TDigest(DELTA, 0);
    this.#count = kept.reduce((sum, { n }) => sum + n, 0);
    this.#feed(kept);
  }

  #flush(): void {
    if (this.#buffer.length === 0) return;
    const values = Float64Array.from(this.#buffer).sort();
    this.#buffer = [];
    this.#feed(clustered(values));
    if (this.#digest.size() > MAX_CENTROIDS) {
      const all = this.#digest.toArray();
      this.#digest = new TDigest(DELTA, 0);
      this.#feed(all);
    }
  }

  /** In shuffled order: a t-digest fed in ascending order does not compress. */
  #feed(centroids: Centroid[]): void {
    for (let i = centroids.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random() * (i + 1));
      [centroids[i], centroids[j]] = [centroids[j], centroids[i]];
    }
    this.#digest.push_centroid(centroids);
  }
}

/** Groups neighbours of a full buffer as a t-digest would; a short one stays exact. */
function clustered(sorted: Float64Array): Centroid[] {
  const out: Centroid[] = [];
  const exact = sorted.length < BUFFER;
  for (let from = 0; from < sorted.length; ) {
    const q = (from + 0.5) / sorted.length;
    const size = exact ? 1 : Math.max(1, Math.floor(4 * sorted.length * DELTA * q * (1 - q)));
    const to = Math.min(sorted.length, from + size);
    let sum = 0;
    for (let i = from; i < to; i++) sum += sorted[i];
    out.push({ mean: sum / (to - from), n: to - from });
    from = to;
  }
  return out;
}

/** A stream of uniformly distributed 32-bit unsigned integers (xorshift128), the same for the same seed. */
export class RandomBits {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: string) {
    let hash = 2166136261;
    const next = () => {
      for (let i = 0; i < seed.length; i++) {
        hash = Math.imul(hash ^ seed.charCodeAt(i), 16777619);
      }
      hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
      return hash;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
  }

  next(): number {
    let t = this.#d;
    const s = this.#a;
    this.#d = this.#c;
    this.#c = this.#b;
    this.#b = s;
    t ^= t << 11;
    t ^= t >>> 8;
    this.#a = t ^ s ^ (s >>> 19);
    return this.#a >>> 0;
  }
}

const QUANTILES = 4096;

/** Quantiles of the standard normal distribution, in order, shuffled by nothing: index it with random bits. */
const normalQuantiles = Float64Array.from({ length: QUANTILES }, (_, i) =>
  normalQuantile((i + 0.5) / QUANTILES),
);

/**
 * Draws `count` normally distributed values, encoded by `encode` as 16 bits each. Only 4,096 different
 * values occur, so encoding costs nothing per draw.
 */
export function drawNormal(
  bits: RandomBits,
  count: number,
  mean: number,
  deviation: number,
  encode: (value: number) => number,
): Uint16Array {
  const table = Uint16Array.from(normalQuantiles, (q) => encode(mean + deviation * q));
  const drawn = new Uint16Array(count);
  for (let i = 0; i < count; i += 2) {
    const word = bits.next();
    drawn[i] = table[word & 4095] ?? 0;
    if (i + 1 < count) drawn[i + 1] = table[(word >>> 12) & 4095] ?? 0;
  }
  return drawn;
}

/** Largest nibble drawn; the quantization's zero point, 7, is in the middle. */
const MAX_NIBBLE = 14;

/** The standard deviation of a nibble less its zero point, drawn uniformly from 0 to 14. */
export const NIBBLE_DEVIATION = Math.sqrt(((MAX_NIBBLE + 1) ** 2 - 1) / 12);

const nibbleTable = Uint16Array.from({ length: 65536 }, (_, i) => {
  const bits = new RandomBits(`nibbles ${i}`);
  let packed = 0;
  for (let n = 0; n < 4; n++) packed |= (bits.next() % (MAX_NIBBLE + 1)) << (4 * n);
  return packed;
});

/** Draws `count` words of eight nibbles, each uniform from 0 to 14, so symmetric around the zero point. */
export function drawNibbles(bits: RandomBits, count: number): Uint32Array {
  const drawn = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const word = bits.next();
    drawn[i] = ((nibbleTable[word >>> 16] ?? 0) << 16) | (nibbleTable[word & 65535] ?? 0);
  }
  return drawn;
}

/** Acklam's approximation of the inverse normal distribution function, good to 1e-9. */
function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
      (((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q -
        2.549732539343734) *
        q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q +
        3.754408661907416) *
        q +
        1)
    );
  }
  const q = p - 0.5;
  const r = q * q;
  return (
    ((((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r +
      138.357751867269) *
      r -
      30.66479806614716) *
      r +
      2.506628277459239) *
      q) /
    (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r +
      66.80131188771972) *
      r -
      13.28068155288572) *
      r +
      1)
  );
}

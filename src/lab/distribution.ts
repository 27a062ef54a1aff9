import type { Random } from '../scheduler';

/** A distribution of positive whole numbers, given by some of its quantiles. */
export interface Quantiles {
  /** Ascending, from 0 to 1. */
  at: readonly number[];
  /** The value at each, ascending, at least 1. */
  values: readonly number[];
}

/** Draws a number whose logarithm is linear between the known quantiles. */
export function drawQuantile(quantiles: Quantiles, random: Random): number {
  return quantileAt(quantiles, random());
}

/** The quantile at `u`, from 0 to 1. */
export function quantileAt({ at, values }: Quantiles, u: number): number {
  let i = 1;
  while (i < at.length - 1 && at[i] < u) i++;
  const share = Math.min(1, (u - at[i - 1]) / (at[i] - at[i - 1]));
  const low = Math.log(values[i - 1]);
  return Math.round(Math.exp(low + share * (Math.log(values[i]) - low)));
}

/** Draws from the exponential distribution with mean 1. */
export function drawExponential(random: Random): number {
  return -Math.log(1 - random());
}

/** Draws from the normal distribution with mean 0 and variance 1 (Box and Muller). */
export function drawNormal(random: Random): number {
  return Math.sqrt(2 * drawExponential(random)) * Math.cos(2 * Math.PI * random());
}

/** Probability that a normal number with mean 0 and variance 1 is below `z` (Abramowitz and Stegun, 26.2.17; to 1e-7). */
export function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = (series * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
  return z < 0 ? above : 1 - above;
}

/** Draws a normal number (mean 0, variance 1) whose correlation with the normal number `z` is `correlation`. */
export function drawNormalLike(z: number, correlation: number, random: Random): number {
  return correlation * z + Math.sqrt(1 - correlation ** 2) * drawNormal(random);
}

/** Draws from the log-normal distribution. `sigma`: standard deviation of the logarithm. */
export function drawLogNormal(median: number, sigma: number, random: Random): number {
  return median * Math.exp(sigma * drawNormal(random));
}

/** Draws from the gamma distribution with mean 1 and this shape (Marsaglia and Tsang, 2000). */
export function drawGamma(shape: number, random: Random): number {
  if (shape < 1) {
    // Gamma(k) is Gamma(k + 1) times U^(1/k); the mean is corrected from k + 1 to k.
    return ((drawGamma(shape + 1, random) * (shape + 1)) / shape) * random() ** (1 / shape);
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = random();
    if (Math.log(1 - u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
}

import type { Random } from '../scheduler';
import { drawExponential, drawGamma } from './distribution';

/** How arrivals follow one another. */
export type ArrivalPattern =
  | { kind: 'poisson' }
  /** Gamma-distributed gaps with this coefficient of variation, above 1: bursts and lulls (as in BurstGPT, arXiv 2401.17644). */
  | { kind: 'bursty'; variation: number }
  /** The same, and the rate is another one every so many arrivals: gamma-distributed, with `swell` as its coefficient of variation. */
  | { kind: 'swelling'; variation: number; swell: number; every: number };

/** `count` arrival times from 0, on average 1 apart. */
export function arrivalTimes(count: number, pattern: ArrivalPattern, random: Random): number[] {
  const gap =
    pattern.kind === 'poisson'
      ? () => drawExponential(random)
      : () => drawGamma(1 / pattern.variation ** 2, random);
  const times: number[] = [];
  let now = 0;
  let rate = 1;
  for (let i = 0; i < count; i++) {
    if (pattern.kind === 'swelling' && i % pattern.every === 0) {
      rate = drawGamma(1 / pattern.swell ** 2, random);
    }
    times.push(now);
    now += gap() / rate;
  }
  return times;
}

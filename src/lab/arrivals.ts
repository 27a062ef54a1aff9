import type { Random } from '../scheduler';
import { drawExponential, drawGamma } from './distribution';

/** How arrivals follow one another. */
export type ArrivalPattern =
  | { kind: 'poisson' }
  /** Gamma-distributed gaps with this coefficient of variation, above 1: bursts and lulls (as in BurstGPT, arXiv 2401.17644). */
  | { kind: 'bursty'; variation: number };

/** `count` arrival times from 0, on average 1 apart. */
export function arrivalTimes(count: number, pattern: ArrivalPattern, random: Random): number[] {
  const gap =
    pattern.kind === 'poisson'
      ? () => drawExponential(random)
      : () => drawGamma(1 / pattern.variation ** 2, random);
  const times: number[] = [];
  let now = 0;
  for (let i = 0; i < count; i++) {
    times.push(now);
    now += gap();
  }
  return times;
}

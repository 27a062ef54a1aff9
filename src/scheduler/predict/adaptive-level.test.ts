import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random';
import { AdaptiveLevel } from './adaptive-level';

describe('AdaptiveLevel', () => {
  it('asks a table of n for the (n + 1)-th, and for more than it holds only up to a limit', () => {
    const level = new AdaptiveLevel(0.9);
    expect(level.at(1000)).toBeCloseTo(0.9009, 10);
    expect(level.at(30)).toBeCloseTo(0.93, 10);
    expect(level.at(9)).toBe(0.995);
    expect(level.at(0)).toBe(0.995);
  });

  it('rises by a miss as much as it falls by nineteen hits, where 95% are to be covered', () => {
    const level = new AdaptiveLevel(0.95);
    const many = 1e9;
    level.observe(false);
    expect(level.at(many)).toBeCloseTo(0.95 + 0.008 * 0.95, 8);
    for (let i = 0; i < 19; i++) level.observe(true);
    expect(level.at(many)).toBeCloseTo(0.95, 8);
  });

  it('keeps covering what drifts away from the past it is read from', () => {
    // Lengths are uniform up to a growing maximum; bounds are read from the distribution 100 draws ago.
    const random = seededRandom(11);
    const level = new AdaptiveLevel(0.95);
    const covered = { fixed: 0, adaptive: 0 };
    for (let i = 100; i < 3100; i++) {
      const length = random() * (1000 + i);
      const past = 900 + i;
      if (length <= 0.95 * past) covered.fixed++;
      const within = length <= level.at(1e9) * past;
      if (within) covered.adaptive++;
      level.observe(within);
    }
    expect(covered.fixed / 3000).toBeLessThan(0.925);
    expect(covered.adaptive / 3000).toBeGreaterThan(0.935);
    expect(covered.adaptive / 3000).toBeLessThan(0.955);
  });
});

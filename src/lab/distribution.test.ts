import { describe, expect, it } from 'vitest';
import { seededRandom } from '../scheduler';
import { drawGamma, drawLogNormal, drawQuantile } from './distribution';

function sample(
  draw: () => number,
  count = 20_000,
): { mean: number; variation: number; median: number } {
  const drawn = Array.from({ length: count }, draw).sort((a, b) => a - b);
  const mean = drawn.reduce((a, b) => a + b, 0) / count;
  const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
  return { mean, variation: Math.sqrt(variance) / mean, median: drawn[count / 2] };
}

describe('distributions', () => {
  it('draw gamma gaps with mean 1 and the variation asked for, above 1 and below', () => {
    for (const variation of [0.5, 1, 4]) {
      const random = seededRandom(1);
      const drawn = sample(() => drawGamma(1 / variation ** 2, random));
      expect(drawn.mean).toBeCloseTo(1, 1);
      expect(Math.abs(drawn.variation / variation - 1)).toBeLessThan(0.06);
    }
  });

  it('draw log-normal lengths around their median', () => {
    const random = seededRandom(2);
    expect(Math.abs(sample(() => drawLogNormal(100, 0.5, random)).median / 100 - 1)).toBeLessThan(
      0.02,
    );
  });

  it('draw from quantiles between the known ones', () => {
    const random = seededRandom(3);
    const quantiles = { at: [0, 0.5, 1], values: [10, 100, 1000] };
    const drawn = Array.from({ length: 4000 }, () => drawQuantile(quantiles, random));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1000);
    const below = drawn.filter((x) => x < 100).length / drawn.length;
    expect(below).toBeCloseTo(0.5, 1);
  });
});

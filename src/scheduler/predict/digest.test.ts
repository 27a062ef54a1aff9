import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random';
import { Digest } from './digest';

describe('Digest', () => {
  it('knows nothing before the first observation', () => {
    expect(new Digest().percentile(0.5)).toBeUndefined();
  });

  it('finds quantiles of many observations to within a hundredth of their rank', () => {
    const random = seededRandom(1);
    const digest = new Digest();
    for (let i = 0; i < 20_000; i++) digest.push(random() ** 2);
    for (const p of [0.01, 0.25, 0.5, 0.9, 0.99]) {
      expect(Math.sqrt(digest.percentile(p) ?? -1)).toBeCloseTo(p, 1.7);
    }
    expect(digest.centroids().length).toBeLessThan(1000);
  });

  it('gives the same centroids for the same observations, whatever Math.random does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4096 }), { maxLength: 2000 }), (values) => {
        const [a, b] = [new Digest(), new Digest()];
        for (const digest of [a, b]) for (const value of values) digest.push(value);
        expect(a.centroids()).toEqual(b.centroids());
      }),
      { numRuns: 20 },
    );
  });

  it('loses no weight when digests are merged, and the share it is told to when it forgets', () => {
    const [a, b] = [new Digest(), new Digest()];
    for (let i = 0; i < 500; i++) (i % 2 === 0 ? a : b).push(i);
    a.absorb(b.centroids());
    const weight = () => a.centroids().reduce((sum, { n }) => sum + n, 0);
    expect(weight()).toBeCloseTo(500);
    expect(a.percentile(0.5)).toBeCloseTo(250, -1);
    a.forget(0.5);
    expect(weight()).toBeCloseTo(250);
  });
});

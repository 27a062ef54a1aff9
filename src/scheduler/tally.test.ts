import { expect, it } from 'vitest';
import { Tally } from './tally';

it('tells quantiles to within one percent', () => {
  const tally = new Tally();
  for (let ms = 1; ms <= 1000; ms++) tally.push(ms);
  const { p50, p95, p99 } = tally.percentiles;
  expect(Math.abs((p50 ?? 0) / 500 - 1)).toBeLessThan(0.01);
  expect(Math.abs((p95 ?? 0) / 950 - 1)).toBeLessThan(0.01);
  expect(Math.abs((p99 ?? 0) / 990 - 1)).toBeLessThan(0.01);
});

it('knows nothing before the first observation', () => {
  expect(new Tally().percentiles).toEqual({
    p50: undefined,
    p95: undefined,
    p99: undefined,
    count: 0,
  });
});

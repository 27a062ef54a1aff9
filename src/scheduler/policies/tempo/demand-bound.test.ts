import { describe, expect, it } from 'vitest';
import type { Demand } from './appraise';
import { DemandBound } from './demand-bound';
import { tuning } from './tuning';

function bound(): DemandBound {
  const made = new DemandBound(tuning);
  made.reset(0, 1, 0);
  return made;
}

/** Work spread evenly over a span. */
function even(fromMs: number, toMs: number, workMs: number): Demand {
  return { fromMs, toMs, workMs, headMs: 0, headDueMs: 0 };
}

describe('DemandBound', () => {
  it('takes work as long as it fits before its deadline, and no more', () => {
    const made = bound();
    const demand = even(0, 1000, 400);
    expect(made.fits(demand)).toBe(true);
    expect(made.take(demand)).toBe(true);
    expect(made.fits(demand)).toBe(true);
    expect(made.take(demand)).toBe(true);
    expect(made.fits(demand)).toBe(false);
    expect(made.take(demand)).toBe(false);
  });

  it('lets late deadlines pass where only early ones are full', () => {
    const made = bound();
    made.take(even(0, 1000, 800));
    expect(made.fits(even(0, 1000, 400))).toBe(false);
    expect(made.fits(even(5000, 10_000, 4000))).toBe(true);
  });

  it('sees that a late deadline needs its share early when one token has to follow another', () => {
    const made = bound();
    made.take(even(0, 1000, 700));
    // At full speed from now on it takes until its deadline: no room for that beside the first.
    expect(made.fits(even(0, 2000, 1900))).toBe(false);
  });

  it('keeps a reserved share free', () => {
    const made = new DemandBound(tuning);
    made.reset(0, 0.5, 0);
    expect(made.fits(even(0, 1000, 700))).toBe(false);
    expect(made.fits(even(0, 1000, 300))).toBe(true);
  });

  it("has a stream's prompt done by its first token, and not with the rest", () => {
    const made = bound();
    made.take({ fromMs: 500, toMs: 20_000, workMs: 4550, headMs: 450, headDueMs: 500 });
    // By a second, the prompt and little else.
    expect(made.fits(even(0, 900, 600))).toBe(false);
    expect(made.fits(even(5000, 20_000, 10_000))).toBe(true);
  });

  it('tells how much work is promised to be done by a time', () => {
    expect(new DemandBound(tuning).workBy(1000)).toBe(0);
    const made = bound();
    made.take(even(0, 1000, 400));
    made.take(even(50_000, 60_000, 8000));
    expect(made.workBy(2000)).toBeCloseTo(400, 6);
    expect(made.workBy(10)).toBeLessThan(20);
    expect(made.workBy(10_000_000)).toBeCloseTo(8400, 6);
  });
});

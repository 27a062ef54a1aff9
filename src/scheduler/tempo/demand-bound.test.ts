import { describe, expect, it } from 'vitest';
import { DemandBound } from './demand-bound';

function bound(): DemandBound {
  const made = new DemandBound();
  made.reset(1, 0);
  return made;
}

describe('DemandBound', () => {
  it('takes work as long as it fits before its deadline, and no more', () => {
    const made = bound();
    const ramp = { fromMs: 0, toMs: 1000, workMs: 400 };
    expect(made.fits(ramp)).toBe(true);
    made.take(ramp);
    expect(made.fits(ramp)).toBe(true);
    made.take(ramp);
    expect(made.fits(ramp)).toBe(false);
  });

  it('lets late deadlines pass where only early ones are full', () => {
    const made = bound();
    made.take({ fromMs: 0, toMs: 1000, workMs: 800 });
    expect(made.fits({ fromMs: 0, toMs: 1000, workMs: 400 })).toBe(false);
    expect(made.fits({ fromMs: 5000, toMs: 10_000, workMs: 4000 })).toBe(true);
  });

  it('sees that a late deadline needs its share early when one token has to follow another', () => {
    const made = bound();
    made.take({ fromMs: 0, toMs: 1000, workMs: 700 });
    // At full speed from now on it takes until its deadline: no room for that beside the first.
    expect(made.fits({ fromMs: 0, toMs: 2000, workMs: 1900 })).toBe(false);
  });

  it('keeps a reserved share free', () => {
    const made = new DemandBound();
    made.reset(0.5, 0);
    expect(made.fits({ fromMs: 0, toMs: 1000, workMs: 700 })).toBe(false);
    expect(made.fits({ fromMs: 0, toMs: 1000, workMs: 300 })).toBe(true);
  });
});

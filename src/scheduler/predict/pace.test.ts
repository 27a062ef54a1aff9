import { describe, expect, it } from 'vitest';
import { TableTop } from '../policies/table-top';
import { tempo } from '../policies/tempo';
import { paceOf } from './pace';

describe('paceOf', () => {
  it('tells what a token takes from what it could take without prompts beside it', () => {
    const { scheduler } = new TableTop(tempo(), { maxBatch: 2 });
    expect(paceOf(scheduler)).toMatchObject({ tokenMs: 10, bestMs: 10 });
    // Steps with a prompt in each: 10 ms and 20 ms for the prompt.
    const shape = { decodes: 2, contextTokens: 0, prefillTokens: 200 };
    for (let i = 0; i < 400; i++) scheduler.cost.observe(shape, 30);
    const decode = { decodes: 2, contextTokens: 0, prefillTokens: 0 };
    for (let i = 0; i < 400; i++)
      scheduler.cost.observe(i % 2 === 0 ? decode : shape, i % 2 === 0 ? 10 : 30);
    const { tokenMs, bestMs } = paceOf(scheduler);
    expect(tokenMs).toBeGreaterThan(18);
    expect(bestMs).toBeLessThan(12);
  });
});

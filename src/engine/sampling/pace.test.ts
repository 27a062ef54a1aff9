import { describe, expect, it } from 'vitest';
import { yieldToEventLoop } from '../yield';
import { Pace } from './pace';

/** Computes for so many slices; `sliced` hears of each. */
async function compute(slices: number, sliced: () => void, signal?: AbortSignal): Promise<void> {
  const pace = new Pace(Infinity, signal);
  for (let i = 0; i < slices; i++) {
    await pace.rest();
    while (!pace.due);
    sliced();
  }
}

describe('computations that are paced', () => {
  it('let a message through after a slice or two, however many of them there are', async () => {
    let slices = 0;
    const all = Promise.all(Array.from({ length: 30 }, () => compute(2, () => slices++)));
    let longest = 0;
    await yieldToEventLoop();
    for (let messages = 0; messages < 15; messages++) {
      const before = slices;
      await yieldToEventLoop();
      longest = Math.max(longest, slices - before);
    }
    expect(slices).toBeGreaterThan(5);
    expect(longest).toBeLessThanOrEqual(2);
    await all;
  });

  it('stop where their caller has gone', async () => {
    const controller = new AbortController();
    const running = compute(1000, () => controller.abort(new Error('gone')), controller.signal);
    await expect(running).rejects.toThrow('gone');
  });
});

import { describe, expect, it } from 'vitest';
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

/** A turn of the event loop, as a message has it. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

describe('computations that are paced', () => {
  it('let a message through after a slice or two, however many of them there are', async () => {
    let slices = 0;
    const all = Promise.all(Array.from({ length: 30 }, () => compute(2, () => slices++)));
    let longest = 0;
    await turn();
    for (let messages = 0; messages < 15; messages++) {
      const before = slices;
      await turn();
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

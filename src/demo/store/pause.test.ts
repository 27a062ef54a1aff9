import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { pause } from './pause';

describe('a pause', () => {
  it('leaves no listener behind, however often one waits', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) {
      const waiting = pause(1, signal);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      await waiting;
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('ends with its signal, and does not begin after it', async () => {
    const controller = new AbortController();
    const waiting = pause(60_000, controller.signal);
    controller.abort();
    await waiting;
    await pause(60_000, controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});

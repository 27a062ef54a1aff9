import { describe, expect, it } from 'vitest';
import { hygen } from './hygen';
import { TableTop } from './table-top';

describe('hygen', () => {
  it('admits offline work as far as the latency budget goes', () => {
    // A step costs 10 ms and 1 ms for each prompt token.
    const top = new TableTop(hygen(), { maxBatch: 4, perPrefillTokenMs: 1 });
    top.submit({ id: 'chat', slo: { class: 'latency', ttft: 1000, tbt: 20 } });
    top.step(11);
    top.submit({ id: 'batch', promptTokens: 30 });
    // Nine tenths of 20 ms are 18: 8 prompt tokens fit beside the decode.
    expect(top.step(18)).toEqual({ chat: 1, batch: 8 });
    expect(top.step(18)).toEqual({ chat: 1, batch: 8 });
  });

  it('gives offline work the whole token budget when nobody is online', () => {
    const top = new TableTop(hygen(64), { perPrefillTokenMs: 1 });
    top.submit({ id: 'batch', promptTokens: 100 });
    expect(top.step(74)).toEqual({ batch: 64 });
  });

  it('schedules online requests first, though they came later', () => {
    const top = new TableTop(hygen(16), { maxBatch: 4 });
    top.submit({ id: 'batch', promptTokens: 20 });
    top.submit({ id: 'chat', promptTokens: 16, slo: { class: 'latency', ttft: 1000, tbt: 100 } });
    expect(top.step()).toEqual({ chat: 16 });
  });

  it('admits the offline request of whose prompt most is computed, and the oldest after eight of these', () => {
    const top = new TableTop(hygen(16), { maxBatch: 1 });
    top.submit({ id: 'oldest', promptTokens: 16, outputTokens: 1 });
    for (let i = 1; i <= 10; i++) {
      top.submit({ id: `like-${i}`, promptTokens: 16, outputTokens: 1 });
      top.cached.set(`like-${i}`, i === 3 ? 12 : 8);
    }
    const order = Array.from({ length: 10 }, () => Object.keys(top.step())[0]);
    const rest = [1, 2, 4, 5, 6, 7, 8].map((i) => `like-${i}`);
    expect(order).toEqual(['like-3', ...rest, 'oldest', 'like-9']);
  });

  it('lets what is shared change no order of online requests', () => {
    const top = new TableTop(hygen(16), { maxBatch: 1 });
    const slo = { class: 'latency' as const, ttft: 1000, tbt: 100 };
    for (const id of ['first', 'second'])
      top.submit({ id, promptTokens: 16, slo, outputTokens: 1 });
    top.cached.set('second', 12);
    expect(Object.keys(top.step())).toEqual(['first']);
  });
});

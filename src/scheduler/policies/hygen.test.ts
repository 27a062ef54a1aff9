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
});

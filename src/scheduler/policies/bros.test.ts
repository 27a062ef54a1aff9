import { describe, expect, it } from 'vitest';
import { bros } from './bros';
import { TableTop } from './table-top';

describe('bros', () => {
  it('serves a real-time request before best-effort work that came first', () => {
    const top = new TableTop(bros(), { maxBatch: 1 });
    top.submit({ id: 'batch' });
    top.submit({ id: 'chat', slo: { class: 'latency', ttft: 1000, tbt: 100 } });
    expect(top.step()).toEqual({ chat: 1 });
  });

  it('bounds the bias: a stream well ahead of schedule leaves its place to best-effort work', () => {
    const top = new TableTop(bros(), { maxBatch: 1 });
    top.submit({ id: 'batch' });
    top.submit({ id: 'chat', slo: { class: 'latency', ttft: 50, tbt: 100 } });
    expect(top.step()).toEqual({ chat: 1 });
    // At 10 ms the second token is due at 150, in 140 ms: less than two times 100 ms ahead.
    expect(top.step()).toEqual({ chat: 1 });
    // At 20 ms the third is due at 250, in 230 ms.
    expect(top.step()).toEqual({ batch: 1 });
    expect(top.step()).toEqual({ batch: 1 });
    expect(top.step()).toEqual({ batch: 1 });
    expect(top.step()).toEqual({ chat: 1 });
  });
});

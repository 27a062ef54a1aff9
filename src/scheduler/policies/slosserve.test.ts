import { describe, expect, it } from 'vitest';
import { slosserve } from './slosserve';
import { TableTop } from './table-top';

const stream = (ttft: number, tbt: number) => ({ class: 'latency' as const, ttft, tbt });
const deadline = (ttlt: number) => ({ class: 'deadline' as const, ttlt });

describe('slosserve', () => {
  // A step costs 10 ms, and 1 ms for each prompt token.
  const costs = { maxBatch: 4, perPrefillTokenMs: 1 };

  it('promises all when all can be in time, and goes by deadline', () => {
    const top = new TableTop(slosserve(), costs);
    top.submit({ id: 'later', slo: stream(1000, 1000), promptTokens: 90 });
    top.submit({ id: 'sooner', slo: stream(500, 1000), promptTokens: 80 });
    expect(top.step(180)).toEqual({ sooner: 80, later: 90 });
  });

  it('promises those who together are worth most of those who cannot all be in time', () => {
    const top = new TableTop(slosserve(), costs);
    top.teach('app', 10);
    // Some 99 prompt tokens are computed in 100 ms. One of 85 earns 85 + 8 · 10 = 165, two of 45
    // earn 2 · (45 + 80) = 250, and they take 90.
    top.submit({ id: 'one', slo: stream(100, 1000), promptTokens: 85 });
    top.submit({ id: 'half', slo: stream(100, 1000), promptTokens: 45 });
    top.submit({ id: 'other', slo: stream(100, 1000), promptTokens: 45 });
    expect(top.step(185)).toEqual({ half: 45, other: 45, one: 85 });
  });

  it('counts what the decodes of the promised leave of every step', () => {
    const top = new TableTop(slosserve(), costs);
    top.teach('app', 10);
    top.submit({ id: 'chat', slo: stream(100, 20), outputTokens: 50 });
    top.step(11);
    // Steps take 20 ms now, of which 10 are left to prompts: 50 tokens in 100 ms.
    top.submit({ id: 'long', slo: stream(100, 1000), promptTokens: 60 });
    top.submit({ id: 'short', slo: stream(100, 1000), promptTokens: 40 });
    expect(top.step(20)).toEqual({ chat: 1, short: 10 });
  });

  it('keeps its promise, whatever comes', () => {
    const top = new TableTop(slosserve(), { ...costs, maxPrefillTokens: 100 });
    top.teach('app', 10);
    top.teach('dear', 100);
    top.submit({ id: 'first', slo: stream(200, 1000), promptTokens: 150 });
    expect(top.step(110)).toEqual({ first: 100 });
    // 50 tokens are to go in 90 ms; beside them 95 more in 100 ms are too many.
    top.submit({ id: 'dear', app: 'dear', slo: stream(100, 1000), promptTokens: 95 });
    expect(top.step(110)).toEqual({ first: 50, dear: 50 });
  });

  it('stretches an answer over the time that its deadline leaves', () => {
    const top = new TableTop(slosserve(), costs);
    top.teach('app', 10);
    // 90 prompt tokens and 10 steps of 10 ms take 200 ms: in 400 everything may take twice as long, the
    // prompt 200 ms. In 190 it cannot be done.
    top.submit({ id: 'late', slo: deadline(190), promptTokens: 90, outputTokens: 1 });
    top.submit({ id: 'fine', slo: deadline(400), promptTokens: 90, outputTokens: 10 });
    expect(Object.keys(top.step(190))[0]).toBe('fine');
  });

  it('has the declined make way for who is promised', () => {
    const top = new TableTop(slosserve(), { ...costs, maxSequences: 1 });
    top.submit({ id: 'batch', outputTokens: 50 });
    top.step(11);
    top.submit({ id: 'chat', slo: stream(200, 100), promptTokens: 20 });
    expect(top.step(30)).toEqual({ chat: 20 });
  });
});

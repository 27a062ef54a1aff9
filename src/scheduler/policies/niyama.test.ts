import { describe, expect, it } from 'vitest';
import { niyama } from './niyama';
import { TableTop } from './table-top';

const stream = (ttft: number, tbt: number) => ({ class: 'latency' as const, ttft, tbt });
const deadline = (ttlt: number) => ({ class: 'deadline' as const, ttlt });

describe('niyama', () => {
  it('fills the least slack of those who decode with prompt tokens', () => {
    // A step costs 10 ms, and 1 ms for each prompt token.
    const top = new TableTop(niyama(), { maxBatch: 4, perPrefillTokenMs: 1 });
    top.submit({ id: 'chat', slo: stream(50, 100), outputTokens: 50 });
    top.step(11);
    top.submit({ id: 'batch', promptTokens: 1000 });
    // At 11 ms its second token is due at 150: 139 ms, less the constant 10.
    expect(top.step(139)).toEqual({ chat: 1, batch: 129 });
    // At 150 the third is due at 250.
    expect(top.step(100)).toEqual({ chat: 1, batch: 90 });
  });

  it('goes by due time with what is to go: a short one before a long one that is due a little earlier', () => {
    const top = new TableTop(niyama(), { maxBatch: 4, perPrefillTokenMs: 0.1 });
    // 1 ms a token while nobody is late: 1000 + 600 against 1300 + 100, and 1500 + 10.
    top.submit({ id: 'long', slo: stream(1000, 5000), promptTokens: 600 });
    top.submit({ id: 'short', slo: stream(1300, 5000), promptTokens: 100 });
    top.submit({ id: 'last', slo: stream(1500, 5000), promptTokens: 10 });
    expect(Object.keys(top.step(90))).toEqual(['short', 'last', 'long']);
  });

  it('counts 8 ms a token once somebody is relegated', () => {
    const top = new TableTop(niyama(), { maxBatch: 4, perPrefillTokenMs: 0.1 });
    // 500 tokens take 60 ms: late by 10 whatever happens.
    top.submit({ id: 'late', slo: stream(50, 5000), promptTokens: 500, outputTokens: 1 });
    top.submit({ id: 'first', slo: stream(500, 5000), promptTokens: 10, outputTokens: 1 });
    expect(Object.keys(top.step(60))).toEqual(['first', 'late']);
    // 1060 + 8 · 100 against 1860 + 8 · 10; by 1 ms a token the other one went first.
    top.submit({ id: 'late2', slo: stream(50, 5000), promptTokens: 500, outputTokens: 1 });
    top.submit({ id: 'a', slo: stream(1000, 5000), promptTokens: 100 });
    top.submit({ id: 'b', slo: stream(1600, 5000), promptTokens: 10 });
    expect(Object.keys(top.step(70))).toEqual(['b', 'a', 'late2']);
  });

  it('relegates an answer that cannot be in time any more', () => {
    const top = new TableTop(niyama(), { maxBatch: 4 });
    top.teach('app', 50);
    // 50 tokens of 10 ms each, and 10 for the prompt: 510 ms.
    top.submit({ id: 'hopeless', slo: deadline(500) });
    top.submit({ id: 'fine', slo: deadline(5000) });
    expect(Object.keys(top.step())).toEqual(['fine', 'hopeless']);
  });

  it('passes a prompt that was begun over for one that goes before it, and preempts no decode', () => {
    const top = new TableTop(niyama(), { maxBatch: 3, perPrefillTokenMs: 1 });
    top.submit({ id: 'chat', slo: stream(100, 110), outputTokens: 50 });
    top.step(11);
    top.submit({ id: 'long', slo: stream(9000, 1000), promptTokens: 4000 });
    expect(top.step(199)).toEqual({ chat: 1, long: 189 });
    top.submit({ id: 'short', slo: stream(2000, 1000), promptTokens: 50 });
    // At 210 ms the third token of chat is due at 320.
    expect(top.step(110)).toEqual({ chat: 1, short: 50, long: 50 });
  });
});

import { describe, expect, it } from 'vitest';
import { scorpio } from './scorpio';
import { TableTop } from './table-top';

const stream = (ttft: number, tbt: number) => ({ class: 'latency' as const, ttft, tbt });
const deadline = (ttlt: number) => ({ class: 'deadline' as const, ttlt });

describe('scorpio', () => {
  it('takes prompts by deadline, and last those that cannot make it any more', () => {
    // A step costs 10 ms, and 1 ms for each prompt token.
    const top = new TableTop(scorpio(1000), { maxBatch: 4, perPrefillTokenMs: 1 });
    top.submit({ id: 'late', slo: stream(50, 500), promptTokens: 60 });
    top.submit({ id: 'second', slo: stream(300, 500), promptTokens: 60 });
    top.submit({ id: 'first', slo: stream(200, 500), promptTokens: 60 });
    // 10 + 60 ms is more than the 50 of the earliest; without it, 70 ≤ 200 and 130 ≤ 300.
    expect(Object.keys(top.step(190))).toEqual(['first', 'second', 'late']);
  });

  it('counts the prompts ahead: who would be in time alone may not be behind others', () => {
    const top = new TableTop(scorpio(1000), { maxBatch: 4, perPrefillTokenMs: 1 });
    top.submit({ id: 'behind', slo: stream(210, 500), promptTokens: 100 });
    top.submit({ id: 'ahead', slo: stream(200, 500), promptTokens: 150 });
    top.submit({ id: 'after', slo: stream(400, 500), promptTokens: 100 });
    // 160 ≤ 200; 260 > 210; 260 ≤ 400.
    expect(Object.keys(top.step(360))).toEqual(['ahead', 'after', 'behind']);
  });

  it('lets a loose answer decode as often as it earns a whole credit', () => {
    // Two decodes take 10 + 2 · 6 = 22 ms, more than the tight one has.
    const top = new TableTop(scorpio(), { maxBatch: 4, perDecodeMs: 6 });
    top.submit({ id: 'tight', slo: stream(100, 20) });
    top.submit({ id: 'loose', slo: stream(100, 50) });
    top.step();
    // 20/50 = 0.4 of a credit a step: 0.4, 0.8, 1.2 → 0.2, 0.6, 1.0.
    const ran = [1, 2, 3, 4, 5].map(() => Object.keys(top.step(16)).length);
    expect(ran).toEqual([1, 1, 2, 1, 2]);
  });

  it('lets it decode without one where the step stays within the tightest pace', () => {
    const top = new TableTop(scorpio(), { maxBatch: 4, perDecodeMs: 4 });
    top.submit({ id: 'tight', slo: stream(100, 20) });
    top.submit({ id: 'loose', slo: stream(100, 50) });
    top.step();
    // 10 + 2 · 4 = 18 ms.
    expect(top.step(18)).toEqual({ tight: 1, loose: 1 });
  });

  it('paces an answer so that half of its time is left for the first token', () => {
    const top = new TableTop(scorpio(), { maxBatch: 4, perDecodeMs: 25 });
    top.teach('app', 10);
    // Two decodes take 60 ms.
    top.submit({ id: 'tight', app: 'chat', slo: stream(100, 50) });
    // 10 tokens in 1100 ms: 110 ms a token, 50/110 = 0.45 of a credit a step.
    top.submit({ id: 'answer', slo: deadline(2200) });
    top.step();
    const ran = [1, 2, 3].map(() => Object.keys(top.step(35)));
    expect(ran).toEqual([['tight'], ['tight'], ['tight', 'answer']]);
  });

  it('gives a call of a program its part of the program’s time', () => {
    const top = new TableTop(scorpio(1000), { maxBatch: 4, perPrefillTokenMs: 1 });
    top.teach('app', 10);
    // Nothing is known of such programs: a stage or more is guessed to come after this one. So its first
    // token is due before that of an answer with the same deadline.
    top.submit({ id: 'answer', slo: deadline(4000), promptTokens: 10 });
    const program = top.program('p', 4000);
    top.submit({ id: 'call', slo: { class: 'program' }, program, promptTokens: 10 });
    expect(Object.keys(top.step(30))).toEqual(['call', 'answer']);
  });

  it('admits no more than the tightest pace allows, counting loose ones in part', () => {
    // Each decode costs 10 ms beside a constant 10, so that a virtual batch of 2 takes 30 ms.
    const top = new TableTop(scorpio(), { maxBatch: 8, perDecodeMs: 10 });
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) top.submit({ id, slo: stream(10_000, 31) });
    // Two of pace 31 are 30.3 ms with 1% of reserve, three 40.4.
    expect(Object.keys(top.step())).toEqual(['a', 'b']);
    const loose = new TableTop(scorpio(), { maxBatch: 8, perDecodeMs: 10 });
    loose.submit({ id: 'a', slo: stream(1000, 31) });
    for (const id of ['b', 'c', 'd']) loose.submit({ id, slo: stream(10_000, 62) });
    // Half a request each: 1 + 2/2 is a batch of 2, 1 + 3/2 would take 35.
    expect(Object.keys(loose.step())).toEqual(['a', 'b', 'c']);
  });
});

import { describe, expect, it } from 'vitest';
import { slidebatching } from './slidebatching';
import { TableTop } from './table-top';

const stream = (ttft: number, tbt: number) => ({ class: 'latency' as const, ttft, tbt });
const deadline = (ttlt: number) => ({ class: 'deadline' as const, ttlt });

describe('slidebatching', () => {
  it('goes by deadline while everybody can wait for everybody', () => {
    // A step costs 10 ms, a prompt token 1 ms: 60 ms of prompts, and seconds until they are due.
    const top = new TableTop(slidebatching(30), { perPrefillTokenMs: 1 });
    top.teach('app', 10);
    top.submit({ id: 'late', slo: deadline(90_000), promptTokens: 30, outputTokens: 10 });
    top.submit({ id: 'soon', slo: deadline(60_000), promptTokens: 30, outputTokens: 10 });
    expect(top.step(40)).toEqual({ soon: 30 });
  });

  it('goes by density among those who cannot wait for all others', () => {
    const top = new TableTop(slidebatching(100), { perPrefillTokenMs: 1 });
    // 500 ms of prompts, and less until either first token is due: 8 for the token and 1 a prompt
    // token are earned in 400 ms or in 100.
    top.submit({ id: 'long', slo: stream(440, 1000), promptTokens: 400 });
    top.submit({ id: 'short', slo: stream(460, 1000), promptTokens: 100 });
    expect(top.step(110)).toEqual({ short: 100 });
  });

  it('fills a step until its budget is spent: two thirds of the tightest time between tokens', () => {
    const top = new TableTop(slidebatching(), { perPrefillTokenMs: 1 });
    top.submit({ id: 'chat', slo: stream(20, 120), outputTokens: 50 });
    top.step(11);
    // At 171 ms its next token is 31 ms late: it cannot make it any more, and the budget is
    // 0.65 · 120 = 78, of which a step's constant 10 leave 68 prompt tokens.
    top.now += 160;
    top.submit({ id: 'batch', slo: { class: 'best-effort' }, promptTokens: 100 });
    expect(top.step(78)).toEqual({ chat: 1, batch: 68 });
  });

  it.each([
    ['begins a prompt with 51 tokens of it at least', 100, { chat: 1 }],
    ['begins one that fits whole', 40, { chat: 1, batch: 40 }],
  ])('%s', (_, promptTokens, ran) => {
    const top = new TableTop(slidebatching(), { perPrefillTokenMs: 1 });
    top.submit({ id: 'chat', slo: stream(20, 80), outputTokens: 50 });
    top.step(11);
    // The budget is 0.65 · 80 = 52: 42 prompt tokens beside the constant 10.
    top.now += 160;
    top.submit({ id: 'batch', slo: { class: 'best-effort' }, promptTokens });
    expect(top.step(52)).toEqual(ran);
  });

  it('takes prompts that are later than one objective long before denser ones', () => {
    const top = new TableTop(slidebatching(100), { perPrefillTokenMs: 1 });
    top.submit({ id: 'starved', slo: stream(150, 1000), promptTokens: 90 });
    // 301 ms on, it is later than its 150 ms; the other has 90 left and would be denser.
    top.now = 301;
    top.submit({ id: 'dense', slo: stream(90, 1000), promptTokens: 10 });
    expect(Object.keys(top.step(110))[0]).toBe('starved');
  });

  it('takes the place of the last in line where there is none left', () => {
    const top = new TableTop(slidebatching(100), { perPrefillTokenMs: 1, maxSequences: 1 });
    top.submit({ id: 'batch', slo: { class: 'best-effort' }, promptTokens: 10, outputTokens: 50 });
    top.step(20);
    top.submit({ id: 'chat', slo: stream(100, 1000), promptTokens: 20 });
    expect(top.step(30)).toEqual({ chat: 20 });
  });
});

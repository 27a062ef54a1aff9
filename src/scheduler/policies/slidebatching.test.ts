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
    top.submit({ id: 'chat', slo: stream(20, 40), outputTokens: 50 });
    top.step(11);
    // Its next token is due in 9 ms: it cannot make it any more, and the budget is 26.
    top.now += 40;
    top.submit({ id: 'batch', slo: { class: 'best-effort' }, promptTokens: 100 });
    expect(top.step(26)).toEqual({ chat: 1, batch: 16 });
  });
});

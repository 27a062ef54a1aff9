import { describe, expect, it } from 'vitest';
import { metSlo } from '../../gain';
import { predicted } from '../../predict/knowledge';
import type { Request } from '../../request';
import { TableTop } from '../table-top';
import { tempoOracle } from '../tempo-oracle';
import { Tempo, tempo } from '.';

const stream = (ttft: number, tbt: number) => ({ class: 'latency' as const, ttft, tbt });
const deadline = (ttlt: number) => ({ class: 'deadline' as const, ttlt });

describe('tempo', () => {
  it('serves a first token that is due soon before an answer that can wait', () => {
    const table = new TableTop(tempo(), { maxBatch: 1 });
    table.teach('app', 10);
    table.submit({ id: 'tool', slo: deadline(60_000), outputTokens: 10 });
    table.submit({ id: 'chat', slo: stream(100, 100), outputTokens: 10 });
    expect(table.step()).toEqual({ chat: 1 });
  });

  it('lets a stream that is ahead of schedule wait for an answer that is due', () => {
    const table = new TableTop(tempo(), { maxBatch: 1 });
    table.teach('app', 30);
    table.submit({ id: 'chat', slo: stream(100, 1000), outputTokens: 200 });
    table.steps(2);
    table.submit({ id: 'tool', slo: deadline(2000), outputTokens: 30 });
    expect(table.step()).toEqual({ tool: 1 });
  });

  it('without just-enough bandwidth streams run as fast as they can', () => {
    const table = new TableTop(tempo({ without: ['just-enough'] }), { maxBatch: 1 });
    table.teach('app', 30);
    table.submit({ id: 'chat', slo: stream(100, 1000), outputTokens: 200 });
    table.steps(2);
    table.submit({ id: 'tool', slo: deadline(2000), outputTokens: 30 });
    expect(table.step()).toEqual({ chat: 1 });
  });

  it('has an answer that cannot be in time any more yield to one that can', () => {
    const table = new TableTop(tempo(), { maxBatch: 1 });
    table.teach('app', 100);
    const late = table.submit({ id: 'late', slo: deadline(300), outputTokens: 100 });
    table.submit({ id: 'feasible', slo: deadline(5000), outputTokens: 100 });
    expect(table.step()).toEqual({ feasible: 1 });
    expect(late.decision.reason).toBe('hopeless');
    expect(table.steps(150)).toEqual({ late: 1 });
  });

  it('cuts a prompt so that the tightest stream in the step gets its next token in time', () => {
    const table = new TableTop(tempo(), { perPrefillTokenMs: 1 });
    table.teach('app', 50);
    table.submit({ id: 'chat', slo: stream(100, 60), outputTokens: 50 });
    table.steps(2);
    table.submit({ id: 'tool', slo: deadline(60_000), promptTokens: 1000, outputTokens: 50 });
    const { chat, tool } = table.step();
    expect(chat).toBe(1);
    expect(tool).toBeGreaterThan(0);
    // The stream's next token is due in 200 ms.
    expect(tool).toBeLessThan(215);
  });

  it('takes a long prompt in small chunks beside those who decode, in larger ones while nobody does', () => {
    const table = new TableTop(tempo(), { maxBatch: 2, perPrefillTokenMs: 1 });
    table.teach('app', 50);
    table.submit({ id: 'first', slo: deadline(600_000), promptTokens: 150, outputTokens: 50 });
    expect(table.step(138)).toEqual({ first: 128 });
    expect(table.step(32)).toEqual({ first: 22 });
    table.submit({ id: 'second', slo: deadline(600_000), promptTokens: 300, outputTokens: 50 });
    expect(table.step(26)).toEqual({ first: 1, second: 16 });
  });

  it('hurries with a first token that can only just be in time, and promises it', () => {
    const table = new TableTop(tempo(), { maxBatch: 2, perPrefillTokenMs: 1 });
    table.teach('app', 50);
    const spec = { id: 'chat', slo: stream(1100, 100), promptTokens: 1000, outputTokens: 50 };
    const chat = table.submit(spec);
    // 128 tokens as for anybody while nobody decodes, and 128 for the hurry.
    expect(table.step()).toEqual({ chat: 256 });
    expect(chat.decision.reason).toBe('on-schedule');
  });

  it('has a long prompt without slack take as much as its neighbours leave it', () => {
    const table = new TableTop(tempo(), { maxBatch: 2, perPrefillTokenMs: 0.25 });
    table.teach('app', 50);
    table.submit({ id: 'neighbour', slo: stream(100, 1000), outputTokens: 50 });
    table.steps(2);
    const spec = { id: 'chat', slo: stream(1120, 100), promptTokens: 4000, outputTokens: 20 };
    const chat = table.submit(spec);
    const planned = () => table.scheduler.explain().reduce((sum, { tokens }) => sum + tokens, 0);
    // In small chunks, the steps' own time alone would make it late.
    for (let took = 10; chat.generated === 0 && table.now < 5000; ) {
      table.step(took);
      took = 10 + 0.25 * planned();
    }
    expect(chat.firstTokenMs).toBeLessThan(chat.tokenDueMs(0));
  });

  it('runs the calls of a program side by side, also where it was promised nothing', () => {
    const table = new TableTop(tempo(), { maxBatch: 4, perPrefillTokenMs: 0.1 });
    table.teach('app', 400);
    const program = table.program('hopeless', 500);
    for (const id of ['a', 'b', 'c']) {
      table.submit({
        id,
        slo: { class: 'program' },
        program,
        promptTokens: 120,
        outputTokens: 400,
      });
    }
    table.steps(20);
    expect(table.step()).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('takes a newcomer in between two rounds of promises', () => {
    const table = new TableTop(tempo(), { maxBatch: 2 });
    table.teach('app', 50);
    table.submit({ id: 'tool', slo: deadline(600_000), outputTokens: 50 });
    table.step();
    table.submit({ id: 'chat', slo: stream(100, 50), outputTokens: 20 });
    expect(table.step()).toMatchObject({ chat: 1 });
  });

  it.each([
    ['answers', deadline(10_000)],
    ['patient answers', deadline(24 * 3_600_000)],
  ])('keeps a chat in time beside %s of a thousand apps', { timeout: 60_000 }, (_, slo) => {
    const table = new TableTop(tempo(), { maxBatch: 4, perPrefillTokenMs: 0.1 });
    for (const app of ['flood', 'chat']) table.teach(app, 50);
    for (let i = 0; i < 1000; i++) {
      const spec = { app: `flood${i}`, slo, promptTokens: 50, outputTokens: 50 };
      table.submit({ id: `${i}`, ...spec });
    }
    const chats: Request[] = [];
    for (let i = 0; i < 20; i++) {
      const spec = { app: 'chat', slo: stream(300, 60), promptTokens: 200, outputTokens: 20 };
      chats.push(table.submit({ id: `chat${i}`, ...spec }));
      table.steps(150);
    }
    expect(chats.filter(metSlo).length).toBeGreaterThanOrEqual(18);
  });

  it('promises nothing to a stream whose first token is late, and serves it from what is left', () => {
    const table = new TableTop(tempo(), { maxBatch: 1, perPrefillTokenMs: 1 });
    table.teach('app', 50);
    const late = table.submit({ id: 'late', slo: stream(100, 200), promptTokens: 400 });
    table.submit({ id: 'background' });
    table.now += 150;
    expect(table.step()).toMatchObject({ late: expect.any(Number) });
    expect(late.decision.reason).toBe('density');
  });

  it('guarantees best-effort work its share over two minutes, however much else there is', () => {
    const table = new TableTop(tempo(), { maxBatch: 2 });
    table.teach('app', 100);
    const background = table.submit({ id: 'background', outputTokens: 1000 });
    const flood = (seconds: number) => {
      for (let i = 0; i < 10 * seconds; i++) {
        if (i % 10 === 0) {
          const id = `chat${table.now}`;
          table.submit({ id, slo: stream(2000, 200), outputTokens: 100 });
        }
        table.step(100);
      }
    };
    // A burst passes undisturbed …
    flood(120);
    expect(background.generated).toBeLessThan(20);
    // … but not two in a row: 5% of the time are 5% of 2 sequences in 1200 steps.
    flood(120);
    expect(background.generated).toBeGreaterThanOrEqual(100);
    expect(background.generated).toBeLessThan(200);
  });

  it('gives best-effort work all that is left over', () => {
    const table = new TableTop(tempo(), { maxBatch: 2 });
    table.submit({ id: 'background', outputTokens: 1000 });
    expect(table.steps(5)).toEqual({ background: 1 });
  });

  it('drops the pages of work that was not admitted when those of an admitted request run short', () => {
    const table = new TableTop(tempo(), { maxBatch: 1, maxSequences: 1 });
    table.teach('app', 20);
    const background = table.submit({ id: 'background', outputTokens: 500 });
    table.steps(3);
    table.submit({ id: 'chat', slo: stream(200, 50), outputTokens: 20 });
    expect(table.step()).toEqual({ chat: 1 });
    expect(background.preemptions).toBe(1);
    table.steps(30);
    expect(background.resident).toBe(true);
    expect(background.generated).toBeGreaterThan(3);
  });

  it('judges a program as a whole: near its end it is worth more than one that begins', () => {
    const table = new TableTop(tempo(), { maxBatch: 1, maxSequences: 4 });
    table.teach('app', 50);
    const old = table.program('old', 4000);
    table.submit({ id: 'old-1', slo: { class: 'program' }, program: old, outputTokens: 50 });
    table.steps(51);
    table.submit({ id: 'old-2', slo: { class: 'program' }, program: old, outputTokens: 50 });
    const young = table.program('young', 4000);
    table.submit({ id: 'young-1', slo: { class: 'program' }, program: young, outputTokens: 50 });
    expect(table.step()).toEqual({ 'old-2': 1 });
  });

  it.each([
    ['another app', 'flood'],
    ['the same app', 'chat'],
  ])('has a stream begin at once beside hundreds of %s that are due in an hour', (_, app) => {
    const table = new TableTop(tempo(), { maxBatch: 4, perPrefillTokenMs: 0.1 });
    table.teach(app, 50);
    for (let i = 0; i < 300; i++) {
      table.submit({ id: `${i}`, app, slo: deadline(3_600_000), outputTokens: 50 });
    }
    table.steps(20);
    const spec = { app: 'chat', slo: stream(200, 50), promptTokens: 100, outputTokens: 20 };
    const chat = table.submit({ id: 'chat', ...spec });
    table.steps(60);
    expect(metSlo(chat)).toBe(true);
  });

  it.each([
    ['answers due in 10 s', deadline(10_000)],
    ['answers due in a day', deadline(24 * 3_600_000)],
    ['streams', stream(2000, 100)],
  ])('keeps an app that asks for little from being crowded out by thousands of %s', (_, slo) => {
    const table = new TableTop(tempo(), { maxBatch: 4, perPrefillTokenMs: 0.1 });
    for (const app of ['flood', 'chat']) table.teach(app, 50);
    for (let i = 0; i < 1000; i++) {
      table.submit({ id: `${i}`, app: 'flood', slo, promptTokens: 50, outputTokens: 50 });
    }
    const chats: Request[] = [];
    for (let i = 0; i < 20; i++) {
      const spec = { app: 'chat', slo: stream(300, 60), promptTokens: 200, outputTokens: 20 };
      chats.push(table.submit({ id: `chat${i}`, ...spec }));
      table.steps(150);
    }
    expect(chats.filter(metSlo).length).toBeGreaterThanOrEqual(18);
  });

  it('appraises no more jobs a plan when ten thousand wait than when hundreds do', () => {
    const appraisals = (waiting: number) => {
      let asked = 0;
      const policy = new Tempo('tempo', {}, (view) => {
        const knowledge = predicted(view);
        return {
          ...knowledge,
          mean: (request) => {
            asked++;
            return knowledge.mean(request);
          },
        };
      });
      const table = new TableTop(policy, { maxBatch: 4, perPrefillTokenMs: 0.1 });
      for (let i = 0; i < waiting; i++) {
        const slo = i % 2 === 0 ? deadline(1000 * (i + 1)) : stream(100 * i, 100);
        table.submit({ id: `${i}`, app: `app${i % 3}`, slo, outputTokens: 50 });
      }
      table.steps(50);
      asked = 0;
      table.steps(50);
      return asked / 50;
    };
    expect(appraisals(10_000)).toBeLessThan(1.2 * appraisals(300));
  });

  it('explains every plan with a reason and the numbers behind it', () => {
    const table = new TableTop(tempo(), { maxBatch: 1 });
    table.teach('app', 10);
    table.submit({ id: 'tool', slo: deadline(60_000), outputTokens: 10 });
    table.submit({ id: 'chat', slo: stream(100, 100), outputTokens: 10 });
    table.step();
    const [chat, tool] = table.scheduler.explain();
    expect(chat).toMatchObject({ requestId: 'chat', chosen: true });
    expect(chat.density).toBeGreaterThan(0);
    expect(chat.remainingTokens).toBe(10);
    expect(chat.slackMs).toBeTypeOf('number');
    expect(tool).toMatchObject({ chosen: false, reason: 'batch-full' });
  });

  it('shares by weight between apps where weights are given', () => {
    const table = new TableTop(tempo({ weights: { a: 1, b: 1 } }), { maxBatch: 1 });
    for (const app of ['a', 'b']) table.teach(app, 20);
    // App `a` floods; what `b` asks for now and then must not be crowded out.
    const asked = [];
    for (let i = 0; i < 600; i++) {
      if (i % 4 === 0)
        table.submit({ id: `a${i}`, app: 'a', slo: deadline(1500), outputTokens: 20 });
      if (i % 60 === 0) {
        asked.push(table.submit({ id: `b${i}`, app: 'b', slo: deadline(1500), outputTokens: 20 }));
      }
      table.step();
    }
    const inTime = asked.filter(
      (r) => r.end?.kind === 'finished' && (r.endMs ?? 0) <= r.deadlineMs,
    );
    expect(inTime.length).toBeGreaterThanOrEqual(asked.length - 2);
  });
});

describe('tempo-oracle', () => {
  it('knows from the start what tempo can only guess', () => {
    const table = new TableTop(tempoOracle(), { maxBatch: 1 });
    table.teach('app', 10);
    const truth = { outputTokens: 500 };
    const long = table.submit({ id: 'long', slo: deadline(1000), outputTokens: 500, truth });
    table.submit({ id: 'short', slo: deadline(1000), outputTokens: 5, truth: { outputTokens: 5 } });
    expect(table.step()).toEqual({ short: 1 });
    expect(long.decision.reason).toBe('hopeless');
  });
});

import { describe, expect, it } from 'vitest';
import { justitia } from './justitia';
import { TableTop } from './table-top';

describe('justitia', () => {
  it('takes first who would end first under fair shares: the least memory over time, all else alike', () => {
    const top = new TableTop(justitia(), { maxBatch: 1 });
    top.teach('short', 10);
    top.teach('long', 100);
    // 50 · 100 + 100²/2 = 10,000; 400 · 10 + 10²/2 = 4,050: a long prompt that is soon done with.
    top.submit({ id: 'grows', app: 'long', promptTokens: 50 });
    top.submit({ id: 'brief', app: 'short', promptTokens: 400 });
    expect(Object.keys(top.step())).toEqual(['brief']);
  });

  it('counts all calls of an agent together', () => {
    const top = new TableTop(justitia(), { maxBatch: 1 });
    top.teach('app', 10);
    const program = top.program('p', 60_000);
    const call = { slo: { class: 'program' as const }, program, promptTokens: 20 };
    // 250 a call, 500 together, and 500 more or less that is expected after them.
    top.submit({ id: 'one', ...call });
    top.submit({ id: 'two', ...call });
    // 30 · 10 + 50 = 350: dearer than a call of the agent, cheaper than the agent.
    top.submit({ id: 'alone', promptTokens: 30 });
    expect(Object.keys(top.step())).toEqual(['alone']);
  });

  it('lets nobody be overtaken without end: who came later ends later by what was shared since', () => {
    // 100 pages of 16: 1,600 KV tokens a step, shared by those that fair sharing would be serving.
    const top = new TableTop(justitia(), { maxBatch: 1, totalPages: 100 });
    top.teach('short', 10);
    top.teach('long', 100);
    top.submit({ id: 'running', app: 'long', promptTokens: 10, outputTokens: 4 }); // 6,000
    top.step();
    // Virtual time is 1,600: this one would end at 1,600 + 100 + 5,000 = 6,700 …
    top.submit({ id: 'dear', app: 'long', promptTokens: 1, outputTokens: 1 });
    top.step();
    // … and this one, at 1,600 + 1,600/2, at 2,400 + 4,500 + 50 = 6,950, although it costs less.
    top.submit({ id: 'cheap', app: 'short', promptTokens: 450, outputTokens: 1 });
    top.steps(2);
    expect(Object.keys(top.step())).toEqual(['dear']);
    expect(Object.keys(top.step())).toEqual(['cheap']);
  });

  it('goes on with what runs, whoever comes', () => {
    const top = new TableTop(justitia(), { maxBatch: 1 });
    top.teach('app', 100);
    top.submit({ id: 'old', promptTokens: 400 });
    top.step();
    top.submit({ id: 'new', app: 'other', promptTokens: 1 });
    expect(Object.keys(top.step())).toEqual(['old']);
  });

  it('divides costs by weights', () => {
    const top = new TableTop(justitia({ weights: { vip: 4 } }), { maxBatch: 1 });
    top.teach('app', 10);
    top.teach('vip', 10);
    // 250 against 850 / 4 = 212.5.
    top.submit({ id: 'plain', promptTokens: 20 });
    top.submit({ id: 'vip', app: 'vip', promptTokens: 80 });
    expect(Object.keys(top.step())).toEqual(['vip']);
  });
});

import { describe, expect, it } from 'vitest';
import { TableTop } from './table-top';
import { vtc } from './vtc';

describe('vtc', () => {
  it('serves the app that was charged least: prompts 1, output 2 a token', () => {
    const top = new TableTop(vtc(), { maxBatch: 1 });
    const ask = (id: string, app: string) =>
      top.submit({ id, app, promptTokens: 4, outputTokens: 2 });
    for (const id of ['x1', 'x2', 'x3']) ask(id, 'x');
    ask('y1', 'y');

    // x is charged 4 for x1's prompt and 2 for its second token; y has 0.
    expect(top.steps(2)).toEqual({ x1: 1 });
    expect(top.steps(2)).toEqual({ y1: 1 });
    // Even again, at 6 each: only x waits.
    expect(top.step()).toEqual({ x2: 4 });
  });

  it('lets an app that comes back save up no credit', () => {
    const top = new TableTop(vtc(), { maxBatch: 1 });
    top.submit({ id: 'x1', app: 'x', promptTokens: 100, outputTokens: 1 });
    top.submit({ id: 'x2', app: 'x', promptTokens: 2, outputTokens: 1 });
    top.submit({ id: 'x3', app: 'x', promptTokens: 2, outputTokens: 1 });
    top.step();
    // x stands at 100; y starts there, not at 0, so one prompt of 4 puts it behind x.
    top.submit({ id: 'y1', app: 'y', promptTokens: 4, outputTokens: 1 });
    top.submit({ id: 'y2', app: 'y', promptTokens: 4, outputTokens: 1 });
    const order = [1, 2, 3, 4].map(() => Object.keys(top.step())[0]);
    expect(order).toEqual(['x2', 'y1', 'x3', 'y2']);
  });

  it('charges an app of weight 4 a quarter', () => {
    const top = new TableTop(vtc({ weights: { x: 4 } }), { maxBatch: 1 });
    const ask = (id: string, app: string) =>
      top.submit({ id, app, promptTokens: 4, outputTokens: 1 });
    for (const id of ['x1', 'x2', 'x3', 'x4', 'x5', 'x6']) ask(id, 'x');
    for (const id of ['y1', 'y2']) ask(id, 'y');
    const order = Array.from({ length: 7 }, () => Object.keys(top.step())[0]);
    // Each of x's prompts counts as 1, each of y's as 4.
    expect(order).toEqual(['x1', 'y1', 'x2', 'x3', 'x4', 'x5', 'y2']);
  });

  it('forgets the counters of thousands of apps, first those that make the least difference', () => {
    const counters = new Map([['x', 1e6]]);
    const top = new TableTop(vtc({}, counters), { maxBatch: 1 });
    for (let i = 0; i < 5000; i++) {
      const request = top.submit({ id: `${i}`, app: `app${i}`, promptTokens: 4 });
      top.step();
      top.scheduler.finish(request, 'stop', top.now);
    }
    expect(counters.size).toBeLessThanOrEqual(2048);
    expect(counters.get('x')).toBe(1e6);
  });
});

import { describe, expect, it } from 'vitest';
import { autellix } from './autellix';
import { TableTop } from './table-top';

describe('autellix', () => {
  it('prefers who has had less service, in quanta', () => {
    const top = new TableTop(autellix(3), { maxBatch: 1 });
    top.submit({ id: 'a', promptTokens: 4 });
    // The prompt, then three output tokens, fill the first quantum of a.
    expect(top.steps(3)).toEqual({ a: 1 });
    top.submit({ id: 'b', promptTokens: 4 });
    expect(top.step()).toEqual({ a: 1 });
    expect(top.step()).toEqual({ b: 4 });
  });

  it('counts the service of a whole program, calls that have ended included', () => {
    const top = new TableTop(autellix(3), { maxBatch: 1 });
    const program = top.program('p', 10_000);
    const call = { slo: { class: 'program' as const }, program, promptTokens: 4 };
    top.submit({ id: 'first', ...call, outputTokens: 5 });
    top.steps(5);
    top.submit({ id: 'second', ...call });
    top.submit({ id: 'other', promptTokens: 4 });
    expect(top.step()).toEqual({ other: 4 });
  });

  it('lifts a program that has waited ten times as long as it was served', () => {
    const top = new TableTop(autellix(1), { maxBatch: 1 });
    top.submit({ id: 'old', promptTokens: 4 });
    top.steps(2); // served 20 ms, and one token: second level
    top.submit({ id: 'endless', promptTokens: 4 });
    expect(top.step()).toEqual({ endless: 4 });
    expect(top.step()).toEqual({ endless: 1 });
    // Equal levels: the elder goes on. Once it waits more than 200 ms it is at the top.
    expect(top.step()).toEqual({ old: 1 });
    top.now += 300;
    expect(top.step()).toEqual({ old: 1 });
  });
});

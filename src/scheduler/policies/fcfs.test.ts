import { describe, expect, it } from 'vitest';
import { fcfs } from './fcfs';
import { TableTop } from './table-top';

describe('fcfs', () => {
  it('stops decoding to prefill whole prompts', () => {
    const table = new TableTop(fcfs(), { maxBatch: 3 });
    table.submit({ id: 'a', promptTokens: 4 });
    table.submit({ id: 'b', promptTokens: 6 });
    expect(table.step()).toEqual({ a: 4, b: 6 });
    expect(table.step()).toEqual({ a: 1, b: 1 });

    table.submit({ id: 'c', promptTokens: 9 });
    expect(table.step()).toEqual({ c: 9 });
    expect(table.step()).toEqual({ a: 1, b: 1, c: 1 });
  });

  it('runs one batch at most, in order of arrival', () => {
    const table = new TableTop(fcfs());
    table.submit({ id: 'a', outputTokens: 2 });
    for (const id of ['b', 'c', 'd']) table.submit({ id });

    expect(table.step()).toEqual({ a: 1, b: 1 });
    expect(table.step()).toEqual({ a: 1, b: 1 });
    expect(table.step()).toEqual({ c: 1 });
  });

  it('lets nobody overtake a prompt that does not fit yet', () => {
    const table = new TableTop(fcfs(), { maxBatch: 4, totalPages: 10, pageSize: 16 });
    table.submit({ id: 'a', promptTokens: 100 });
    expect(table.step()).toEqual({ a: 100 });
    table.submit({ id: 'long', promptTokens: 80 });
    table.submit({ id: 'short', promptTokens: 10 });
    expect(table.step()).toEqual({ a: 1 });
  });
});

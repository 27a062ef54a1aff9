import { describe, expect, it } from 'vitest';
import { sarathi } from './sarathi';
import { TableTop } from './table-top';

describe('sarathi', () => {
  it('never stops decoding: prompts take what is left of the token budget', () => {
    const table = new TableTop(sarathi(8), { maxBatch: 3 });
    table.submit({ id: 'a', promptTokens: 4 });
    expect(table.step()).toEqual({ a: 4 });

    table.submit({ id: 'b', promptTokens: 10 });
    expect(table.step()).toEqual({ a: 1, b: 7 });
    expect(table.step()).toEqual({ a: 1, b: 3 });
    expect(table.step()).toEqual({ a: 1, b: 1 });
  });

  it('finishes a prompt that is begun before it begins another', () => {
    const table = new TableTop(sarathi(8), { maxBatch: 3 });
    table.submit({ id: 'a', promptTokens: 12 });
    table.submit({ id: 'b', promptTokens: 6 });
    expect(table.step()).toEqual({ a: 8 });
    expect(table.step()).toEqual({ a: 4, b: 4 });
  });
});

import { expect, it } from 'vitest';
import { TableTop } from './table-top';
import { webllm } from './webllm';

it('serves one request at a time, the next when the one before has ended', () => {
  const table = new TableTop(webllm(), { maxBatch: 8 });
  table.submit({ id: 'a', promptTokens: 5, outputTokens: 2 });
  table.submit({ id: 'b', promptTokens: 3, outputTokens: 1 });

  expect(table.step()).toEqual({ a: 5 });
  expect(table.step()).toEqual({ a: 1 });
  expect(table.step()).toEqual({ b: 3 });
});

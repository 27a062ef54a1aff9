/** Half a surrogate pair has no spelling in UTF-8: what asks for one is refused, with its path. */
import { expect, it } from 'vitest';
import { canBeWritten, grammarOf } from './followed';

const HALF = '\ud83d';

it.each<[object, string]>([
  [{ enum: ['a', HALF] }, 'schema.enum[1]'],
  [{ const: `x${HALF}` }, 'schema.const'],
  [{ const: { a: [1, { b: '\udc00' }] } }, 'schema.const.a[1].b'],
  [{ enum: [{ [HALF]: 1 }] }, 'schema.enum[0]'],
  [{ properties: { a: { enum: [HALF, null] } } }, 'schema.properties.a.enum[0]'],
  [{ required: ['a', HALF] }, 'schema.required[1]'],
  [{ properties: { [HALF]: {} } }, 'schema.properties'],
  [{ $defs: { one: { const: HALF } }, $ref: '#/$defs/one' }, 'schema.$defs.one.const'],
])('%j', async (schema, param) => {
  await expect(grammarOf(schema)).rejects.toMatchObject({ code: 'invalid_schema', param });
});

it('whole ones, and what constrains nothing, are no trouble', async () => {
  const grammar = await grammarOf({
    enum: ['😀', { '😀': '😀' }],
    examples: [HALF],
    description: HALF,
  });
  expect(canBeWritten(grammar, '😀')).toBe(true);
  expect(canBeWritten(grammar, { '😀': '😀' })).toBe(true);
  expect(canBeWritten(grammar, HALF)).toBe(false);
});

/** What is written under a schema's grammar, judged by a validator that knows nothing of grammars. */
import Ajv from 'ajv/dist/2020';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJsonSchema, Grammars } from '../../src/engine/sampling';
import { writeAtRandom } from '../../src/engine/sampling/random-writer.test-data';
import { SMALL_VOCABULARY } from '../../src/engine/sampling/small-vocabulary.test-data';
import { SCHEMAS } from './random-schemas';

let grammars: Grammars;
beforeAll(async () => {
  grammars = await Grammars.create(SMALL_VOCABULARY);
});
afterAll(() => grammars.dispose());

const ajv = new Ajv({ strict: false, validateFormats: false });
const nulls = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { type: 'null' }]));

const SUPPORTED: readonly unknown[] = [
  { type: 'string' },
  { type: 'string', minLength: 2, maxLength: 5 },
  { type: 'string', minLength: 3 },
  { type: 'string', pattern: '^.{1,8}$' },
  { type: 'string', pattern: '^[^a-c]+$' },
  { type: 'string', pattern: '^\\S+$' },
  { type: 'string', pattern: '^\\D\\W{2}$' },
  { type: 'string', pattern: '^[A-Z]{2}-\\d{4}$' },
  { type: 'string', pattern: '^a$|^b$' },
  { type: 'string', pattern: '^(foo|bar)+\\s?["\\\\\\n]$' },
  { enum: ['a"b', 'c\\d', 'e/f', 'ž\n', 1, null, true] },
  { const: { a: [1, 2, { b: 'x' }] } },
  { type: 'integer' },
  { type: 'integer', minimum: -7, maximum: 120 },
  { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 10 },
  { type: 'number' },
  { type: 'number', minimum: -1.5, maximum: 2.25 },
  { type: 'number', exclusiveMinimum: 0 },
  { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 2, maxItems: 4 },
  { type: 'array', items: { type: 'integer' }, maxItems: 0 },
  {
    prefixItems: [{ type: 'string' }, { type: 'integer' }],
    items: { type: 'boolean' },
    minItems: 3,
  },
  { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
  { type: 'array' },
  { type: 'array', items: true, minItems: 1 },
  { type: 'object' },
  { type: 'object', additionalProperties: true },
  { type: 'object', additionalProperties: { type: 'integer' } },
  { type: 'object', properties: { ...nulls('a', 'b', 'c') }, required: ['b'] },
  { properties: { a: { type: 'integer', maximum: 9 } }, required: ['a'] },
  { type: 'object', properties: nulls('a', 'b', 'c', 'd'), minProperties: 2 },
  { type: 'object', properties: nulls('a', 'b', 'c', 'd'), minProperties: 1, maxProperties: 2 },
  { type: 'object', properties: nulls('a', 'b', 'c'), required: ['b'], maxProperties: 2 },
  { type: 'object', additionalProperties: { type: 'null' }, minProperties: 1, maxProperties: 3 },
  { type: 'object', propertyNames: { pattern: '^[a-z]+$' } },
  { anyOf: [{ type: 'string', maxLength: 3 }, { type: 'null' }] },
  { type: ['string', 'null', 'integer'], minimum: 3, maxLength: 2 },
  { oneOf: [{ type: 'integer' }, { const: 'x' }] },
  { allOf: [{ type: 'boolean' }], description: 'either' },
  {
    $defs: {
      list: {
        type: 'object',
        properties: {
          value: { type: 'integer', minimum: 1 },
          next: { anyOf: [{ $ref: '#/$defs/list' }, { type: 'null' }] },
        },
        required: ['value', 'next'],
      },
    },
    $ref: '#/$defs/list',
  },
  {
    type: 'object',
    properties: { children: { type: 'array', items: { $ref: '#' } } },
    required: ['children'],
  },
  ...['date', 'time', 'date-time', 'duration', 'ipv4', 'ipv6', 'hostname', 'uuid', 'uri'].map(
    (format) => ({ type: 'string', format }),
  ),
  true,
  {},
];

describe('whatever is written under a schema’s grammar is valid', () => {
  it.each(SUPPORTED.map((schema) => [JSON.stringify(schema), schema] as const))(
    '%s',
    async (text, schema) => {
      const isValid = ajv.compile(schema === true ? {} : Object(schema));
      for (let seed = 0; seed < 8; seed++) {
        const matcher = await grammars.matcher({ type: 'json_schema', schema: text });
        const written = await writeAtRandom(matcher, seed);
        matcher.dispose();
        if (written === undefined) continue; // long, not wrong
        expect(isValid(JSON.parse(written)), written).toBe(true);
      }
    },
  );
});

it('whatever is written under any schema that passes is valid', async () => {
  await fc.assert(
    fc.asyncProperty(SCHEMAS, fc.nat(), async (schema, seed) => {
      fc.pre(isSupported(schema));
      const isValid = ajv.compile(schema);
      const text = JSON.stringify(schema);
      const matcher = await grammars.matcher({ type: 'json_schema', schema: text });
      const written = await writeAtRandom(matcher, seed);
      matcher.dispose();
      if (written !== undefined) expect(isValid(JSON.parse(written)), written).toBe(true);
    }),
    { numRuns: 60 },
  );
});

function isSupported(schema: unknown): boolean {
  try {
    checkJsonSchema(schema, 'schema');
    return true;
  } catch {
    return false;
  }
}

/** Schemas as libraries and documents write them, with values that they are to let through or not. */
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020';
import { describe, expect, it } from 'vitest';
import { TempoError } from '../../src/scheduler';
import { canBeText, canBeWritten, grammarOf } from './followed';
import { FORMATS } from './formats';

const formats = {
  ...FORMATS,
  email: (text: string) => /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text),
  'date-time': (text: string) =>
    FORMATS.date(text.slice(0, 10)) && /^T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/.test(text.slice(10)),
};
const OPTIONS = { strict: false, logger: false, formats } as const;
const [ajv7, ajv] = [new Ajv(OPTIONS), new Ajv2020(OPTIONS)];

/** By what wrote it: the schema, values that are valid, values that are not. */
const REAL: Record<string, [schema: object, good: unknown[], bad: unknown[]]> = {
  'zod 3 (zod-to-json-schema)': [
    {
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 40 },
        age: { type: 'integer', exclusiveMinimum: 0, maximum: 150 },
        mail: { type: 'string', format: 'email' },
        role: { type: 'string', enum: ['admin', 'user'], default: 'user' },
        tags: { type: 'array', items: { type: 'string' } },
        nick: { anyOf: [{ anyOf: [{ not: {} }, { type: 'string' }] }, { type: 'null' }] },
      },
      required: ['name', 'age', 'mail'],
      additionalProperties: false,
      $schema: 'http://json-schema.org/draft-07/schema#',
    },
    [
      { name: 'say "hi"\n', age: 36, mail: 'ada@example.org', role: 'admin', tags: [], nick: null },
      { name: 'é😀', age: 150, mail: 'a.b+c@x.co' },
    ],
    [
      { name: '', age: 36, mail: 'ada@example.org' },
      { name: 'Ada', age: 0, mail: 'ada@example.org' },
      { name: 'Ada', age: 36, mail: 'ada' },
      { name: 'Ada', age: 36, mail: 'ada@example.org', more: 1 },
    ],
  ],
  'zod 4 (z.toJSONSchema): a record, a union told apart by a literal': [
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        scores: {
          type: 'object',
          propertyNames: { type: 'string' },
          additionalProperties: { type: 'number' },
        },
        shape: {
          anyOf: [
            {
              type: 'object',
              properties: { kind: { type: 'string', const: 'circle' }, r: { type: 'number' } },
              required: ['kind', 'r'],
              additionalProperties: false,
            },
            {
              type: 'object',
              properties: { kind: { type: 'string', const: 'square' }, a: { type: 'number' } },
              required: ['kind', 'a'],
              additionalProperties: false,
            },
          ],
        },
        count: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
        id: {
          type: 'string',
          format: 'uuid',
          pattern:
            '^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$',
        },
      },
      required: ['scores', 'shape', 'count'],
      additionalProperties: false,
    },
    [
      { scores: { 'a"b': 0.3, é: -1e21 }, shape: { kind: 'square', a: 2 }, count: 3 },
      {
        scores: {},
        shape: { kind: 'circle', r: 1e-7 },
        count: -9007199254740991,
        id: '123e4567-e89b-42d3-a456-426614174000',
      },
    ],
    [
      { scores: { a: 'b' }, shape: { kind: 'square', a: 2 }, count: 3 },
      { scores: {}, shape: { kind: 'square', r: 2 }, count: 3 },
      { scores: {}, shape: { kind: 'circle', r: 2 }, count: 0.5 },
    ],
  ],
  typebox: [
    {
      type: 'object',
      required: ['id', 'at', 'pair', 'either'],
      properties: {
        id: { type: 'string', pattern: '^usr_[a-z0-9]{4,}$' },
        at: { type: 'string', format: 'date-time' },
        pair: {
          type: 'array',
          items: [{ type: 'number' }, { type: 'string' }],
          additionalItems: false,
          minItems: 2,
          maxItems: 2,
        },
        either: {
          allOf: [
            { type: 'object', required: ['x'], properties: { x: { type: 'number' } } },
            { type: 'object', required: ['y'], properties: { y: { type: 'number' } } },
          ],
        },
        map: { type: 'object', patternProperties: { '^(.*)$': { type: 'boolean' } } },
      },
    },
    [
      {
        id: 'usr_ab12',
        at: '2024-02-29T23:59:59Z',
        pair: [1.5, 'x'],
        either: { x: 1, y: 2 },
        map: { on: true },
      },
    ],
    [
      { id: 'usr_ab', at: '2024-02-29T23:59:59Z', pair: [1, 'x'], either: { x: 1, y: 2 } },
      { id: 'usr_ab12', at: '2023-02-29T23:59:59Z', pair: [1, 'x'], either: { x: 1, y: 2 } },
      { id: 'usr_ab12', at: '2024-02-29T23:59:59Z', pair: [1], either: { x: 1, y: 2 } },
      { id: 'usr_ab12', at: '2024-02-29T23:59:59Z', pair: [1, 'x'], either: { x: 1 } },
    ],
  ],
  'pydantic 2 (model_json_schema)': [
    {
      $defs: {
        Pet: {
          properties: {
            name: { title: 'Name', type: 'string' },
            kind: { $ref: '#/$defs/Kind', default: 'cat' },
            owner: { anyOf: [{ $ref: '#/$defs/Person' }, { type: 'null' }], default: null },
          },
          required: ['name'],
          title: 'Pet',
          type: 'object',
        },
        Kind: { enum: ['cat', 'dog'], title: 'Kind', type: 'string' },
        Person: {
          properties: {
            born: { format: 'date', title: 'Born', type: 'string' },
            pets: { items: { $ref: '#/$defs/Pet' }, maxItems: 3, title: 'Pets', type: 'array' },
            height: { exclusiveMinimum: 0, multipleOf: 0.01, title: 'Height', type: 'number' },
          },
          required: ['born', 'pets'],
          title: 'Person',
          type: 'object',
        },
      },
      $ref: '#/$defs/Person',
    },
    [
      { born: '2024-02-29', pets: [{ name: 'Kit', kind: 'cat', owner: null }], height: 1.75 },
      { born: '1999-12-31', pets: [{ name: 'R', owner: { born: '2000-01-01', pets: [] } }] },
    ],
    [
      { born: '2024-02-31', pets: [] },
      { born: '2024-02-29', pets: [{ kind: 'cow', name: 'x' }] },
      { born: '2024-02-29', pets: [], height: 1.755 },
    ],
  ],
  'valibot (@valibot/to-json-schema)': [
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: {
        email: { type: 'string', format: 'email' },
        password: { type: 'string', minLength: 8 },
        variant: {
          anyOf: [
            { type: 'object', properties: { type: { const: 1 } }, required: ['type'] },
            { type: 'object', properties: { type: { const: 0.3 } }, required: ['type'] },
          ],
        },
      },
      required: ['email', 'password', 'variant'],
    },
    [{ email: 'a@b.org', password: '\\"\\"\u0001/é😀', variant: { type: 0.3 } }],
    [
      { email: 'a@b.org', password: '1234567', variant: { type: 1 } },
      { email: 'a@b.org', password: '12345678', variant: { type: 2 } },
    ],
  ],
  'OpenAI’s guide to structured outputs: steps of a solution, strict': [
    {
      type: 'object',
      properties: {
        steps: {
          type: 'array',
          items: {
            type: 'object',
            properties: { explanation: { type: 'string' }, output: { type: 'string' } },
            required: ['explanation', 'output'],
            additionalProperties: false,
          },
        },
        final_answer: { type: 'string' },
        unit: { type: ['string', 'null'], enum: ['km', 'km/h', null] },
      },
      required: ['steps', 'final_answer', 'unit'],
      additionalProperties: false,
    },
    [
      {
        steps: [{ explanation: '8x = -30', output: 'x = -30/8' }],
        final_answer: '-3.75',
        unit: 'km/h',
      },
    ],
    [{ steps: [{ explanation: 'no output' }], final_answer: '1', unit: null }],
  ],
  'OpenAI’s guide: a user interface that holds itself': [
    {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['div', 'button', 'field'] },
        label: { type: 'string' },
        children: { type: 'array', items: { $ref: '#' } },
        attributes: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, value: { type: 'string' } },
            additionalProperties: false,
            required: ['name', 'value'],
          },
        },
      },
      required: ['type', 'label', 'children', 'attributes'],
      additionalProperties: false,
    },
    [
      {
        type: 'div',
        label: '',
        children: [
          { type: 'button', label: 'OK', children: [], attributes: [{ name: 'a', value: 'b' }] },
        ],
        attributes: [],
      },
    ],
    [{ type: 'div', label: '', children: [{ type: 'div' }], attributes: [] }],
  ],
  'an MCP tool’s input': [
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        location: { type: 'string', description: 'City name or zip code', example: 'Prague' },
        units: { type: 'string', enum: ['metric', 'imperial'], default: 'metric' },
        days: { type: 'integer', minimum: 1, maximum: 14 },
      },
      required: ['location'],
      'x-order': ['location'],
    },
    [{ location: 'São "Paulo"' }, { location: '90210', units: 'metric', days: 14 }],
    [{ location: 'x', days: 15 }, { units: 'metric' }],
  ],
};

describe.each(Object.entries(REAL))('the schema of %s', (_, [schema, good, bad]) => {
  it('lets through what is valid, and nothing else', async () => {
    const isOld = /draft-07|additionalItems/.test(JSON.stringify(schema));
    const isValid = (isOld ? ajv7 : ajv).compile(schema);
    const grammar = await grammarOf(schema);
    for (const value of good) {
      expect(isValid(value), JSON.stringify(isValid.errors)).toBe(true);
      expect(canBeText(grammar, JSON.stringify(value)), JSON.stringify(value)).toBe(true);
    }
    for (const value of bad) {
      expect(isValid(value)).toBe(false);
      expect(canBeWritten(grammar, value), JSON.stringify(value)).toBe(false);
    }
  });
});

describe('a value is written as JSON.stringify writes it', () => {
  it.each<[schema: object, good: unknown[], bad: unknown[]]>([
    [{ enum: ['km', 'km/h'] }, ['km', 'km/h'], ['km\\']],
    [{ const: 0.3 }, [0.3], [0.30000000000000004, 0]],
    [{ enum: [1e21, 1e-7, -0.5, 100] }, [1e21, 1e-7, -0.5, 100], [1e20, 1]],
    [{ const: { a: [1e300, { 'b/c': null }] } }, [{ a: [1e300, { 'b/c': null }] }], [{ a: [] }]],
    [{ type: 'string', minLength: 1 }, ['say "hi"', 'a\nb', '\u001f', '\\', '😀'], ['']],
    [{ type: 'string', maxLength: 2 }, ['"\n', '😀😀', '\u0001\\'], ['abc', '😀😀😀']],
    [{ propertyNames: { maxLength: 2 } }, [{ '"\n': 1 }, {}], [{ abc: 1 }]],
    [{ type: 'string', pattern: '^dag' }, ['dag', 'dagger "x"\n'], ['a dag']],
    [{ type: 'string', pattern: 'dag' }, ['a dag', 'dagger'], ['da']],
    [{ type: 'string', pattern: '^["\\\\\\u0007]+$' }, ['"\\\u0007'], ['a']],
    [{ type: 'string', maxLength: 5000 }, ['x'.repeat(5000)], ['x'.repeat(5001)]],
    [{ type: 'integer', minimum: 2 ** 60 }, [2 ** 61, 1e19], [2 ** 53]],
    [{ oneOf: [{ type: 'integer' }, { type: 'string' }] }, [1, 'a'], [1.5]],
    [{ format: 'date' }, ['2024-02-29', 7], ['2024-02-31', '2023-02-29']],
    [{ format: 'ipv4' }, ['1.1.1.1', '255.0.0.9'], ['01.1.1.1', '256.1.1.1']],
    [{ format: 'hostname' }, ['Example.ORG', 'a-b.c'], ['-a', 'a..b']],
    [
      { properties: { a: { anyOf: [{ type: 'null' }] }, b: { $ref: '#/properties/a/anyOf/0' } } },
      [{ b: null }],
      [{ b: 1 }],
    ],
    [{ $defs: { 'a/b c': { const: 1 } }, items: { $ref: '#/$defs/a~1b%20c' } }, [[1, 1]], [[2]]],
    // biome-ignore lint/suspicious/noThenProperty: it is JSON Schema's word
    [{ if: { type: 'string' }, then: { minLength: 2 }, else: { const: 1 } }, ['ab', 1], ['a', 2]],
    [{ dependentRequired: { a: ['b'] } }, [{ a: 1, b: 2 }, {}], [{ a: 1 }]],
    [{ not: { type: ['string', 'null'] } }, [1, [], {}], ['a', null]],
    [{ minProperties: 2 }, [{ a: 1, b: 2 }], [{ a: 1 }]],
    [{ contains: { const: 1 }, minContains: 2 }, [[1, 0, 1]], [[1, 0]]],
    [{ items: { enum: [1, 2] }, uniqueItems: true }, [[2, 1]], [[1, 1]]],
    [{ type: 'integer', nullable: true, self: 1, id: 5, links: [], javaType: 'x' }, [1], ['a']],
  ])('%j', async (schema, good, bad) => {
    const isValid = ajv.compile(rid(schema));
    const grammar = await grammarOf(schema);
    for (const value of good) {
      expect(isValid(value)).toBe(true);
      expect(canBeText(grammar, JSON.stringify(value)), JSON.stringify(value)).toBe(true);
    }
    for (const value of bad) {
      expect(isValid(value)).toBe(false);
      expect(canBeWritten(grammar, value), JSON.stringify(value)).toBe(false);
    }
  });

  it('and in no other spelling', async () => {
    const grammar = await grammarOf({ enum: ['km/h', 0.5, 'é'] });
    for (const text of ['"km\\/h"', '0.50', '5e-1', '"\\u00e9"']) {
      expect(canBeText(grammar, text), text).toBe(false);
    }
  });
});

/** The validator takes `id` and `nullable` for its own words. */
function rid({ nullable: _, id: __, ...schema }: { nullable?: unknown; id?: unknown }): object {
  return schema;
}

describe('what cannot be enforced in full is refused by its path', () => {
  it.each<[schema: object, path: string]>([
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, ''],
    [{ properties: { a: { pattern: '(a)\\1' } } }, 'schema.properties.a.pattern'],
    [{ items: { $ref: 'https://example.org/other.json' } }, 'schema.items.$ref'],
    [{ properties: { a: { format: 'regex' } } }, 'schema.properties.a.format'],
  ])('%j', async (schema, path) => {
    const refusal = await grammarOf(schema).catch((error: unknown) => error);
    if (path === '') {
      // Told apart, or refused: `1` would be valid twice.
      if (refusal instanceof TempoError) return;
      expect(canBeWritten(await grammarOf(schema), 1)).toBe(false);
      return;
    }
    expect(refusal).toMatchObject({ code: 'invalid_schema', param: path });
  });
});

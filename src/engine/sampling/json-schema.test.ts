import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TempoError } from '../../scheduler';
import { Grammars } from './grammars';
import { checkJsonSchema, checkStructuralTag } from './json-schema';
import { SMALL_VOCABULARY, STOP, tokensOf } from './small-vocabulary.test-data';

let grammars: Grammars;
beforeAll(async () => {
  grammars = await Grammars.create(SMALL_VOCABULARY);
});
afterAll(() => grammars.dispose());

describe('what a schema allows can be written', () => {
  it.each<[unknown, unknown]>([
    [{ type: 'string', pattern: '^[à-ü]+ .$' }, 'éü 😀'],
    [{ type: 'string', pattern: '"[^x]\\n' }, '"\t\n'],
    [{ type: 'string', minLength: 2, maxLength: 5 }, '好 한x'],
    [{ type: 'integer', minimum: -34 }, -33],
    [{ type: 'number', maximum: 6.8 }, -0.5],
    [{ type: 'object', properties: { n: { type: ['integer', 'null'], maximum: 5 } } }, { n: null }],
    [{ enum: ['naïve', 'b'] }, 'naïve'],
    [
      { type: 'object', properties: { 'a"\\é': { const: 1 } }, required: ['a"\\é'] },
      { 'a"\\é': 1 },
    ],
    [{ type: 'array' }, [1, 'a', [null]]],
    [{ type: 'object' }, { a: [1] }],
    [{ type: ['array', 'object', 'null'] }, [{ a: 1 }]],
  ])('%j: %j', async (schema, value) => {
    const matcher = await grammars.matcher({ type: 'json_schema', schema: JSON.stringify(schema) });
    for (const token of tokensOf(JSON.stringify(value))) expect(matcher.accept(token)).toBe(true);
    expect(matcher.accept(STOP)).toBe(true);
    matcher.dispose();
  });
});

describe('a schema that output cannot be held to is refused, with the path', () => {
  it.each<[unknown, string]>([
    [false, 'schema'],
    ['string', 'schema'],
    [{ type: 'text' }, 'schema.type'],
    [{ type: ['string', 'text'] }, 'schema.type[1]'],
    [{ type: 'object', properties: { a: false } }, 'schema.properties.a'],
    [{ type: 'object', properties: { a: { not: {} } } }, 'schema.properties.a.not'],
    [{ type: 'array', items: { type: 'number', multipleOf: 2 } }, 'schema.items.multipleOf'],
    [{ type: 'array', uniqueItems: true }, 'schema.uniqueItems'],
    [{ type: 'array', items: [{}] }, 'schema.items'],
    [{ type: 'array', minItems: 3, maxItems: 2 }, 'schema'],
    [{ type: 'array', minItems: -1 }, 'schema.minItems'],
    [{ type: 'array', prefixItems: [{}], minItems: 2 }, 'schema.minItems'],
    [{ type: 'array', prefixItems: [{}, {}], items: {}, maxItems: 1 }, 'schema.maxItems'],
    [{ type: 'object', properties: { a: {} }, minProperties: 2 }, 'schema.minProperties'],
    [
      { type: 'object', properties: { a: {}, b: {} }, required: ['a', 'b'], maxProperties: 1 },
      'schema.maxProperties',
    ],
    [{ type: 'array', maxItems: 1e9 }, 'schema.maxItems'],
    [{ type: 'object', required: ['a'] }, 'schema.required[0]'],
    [{ type: 'object', additionalProperties: true, minProperties: 2 }, 'schema.minProperties'],
    [{ type: 'object', properties: {}, patternProperties: {} }, 'schema.patternProperties'],
    [{ type: 'string', maxLength: 500 }, 'schema.maxLength'],
    [{ type: 'string', pattern: '.{500}' }, 'schema.pattern'],
    [{ type: 'string', format: 'json-pointer' }, 'schema.format'],
    [{ type: 'string', format: 'uuid', maxLength: 4 }, 'schema.maxLength'],
    [{ type: 'string', pattern: 'a', minLength: 4 }, 'schema.minLength'],
    [{ type: 'string', pattern: '(?<=a)b' }, 'schema.pattern'],
    [{ type: 'string', pattern: '(' }, 'schema.pattern'],
    [{ type: 'string', pattern: '\\bword' }, 'schema.pattern'],
    [{ type: 'string', pattern: '[一-龥]' }, 'schema.pattern'],
    [{ type: 'integer', minimum: 5, maximum: 4 }, 'schema'],
    [{ type: 'integer', minimum: 'a' }, 'schema.minimum'],
    [{ minimum: 3 }, 'schema'],
    [{ type: 'string', anyOf: [{ const: 'a' }] }, 'schema.type'],
    [{ anyOf: [] }, 'schema.anyOf'],
    [{ anyOf: [{ enum: [] }] }, 'schema.anyOf[0].enum'],
    [{ allOf: [{ type: 'string' }, { minLength: 3 }] }, 'schema.allOf'],
    [{ $ref: 'https://example.org/schema' }, 'schema.$ref'],
    [{ $ref: '#/$defs/a' }, 'schema.$ref'],
    [{ $ref: '#' }, 'schema.$ref'],
    [{ anyOf: [{ type: 'null' }, { $ref: '#' }] }, 'schema.anyOf[1].$ref'],
    [{ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }, 'schema.$defs.a.$ref'],
    [{ if: {}, else: {} }, 'schema.if'],
    [{ typo: 1 }, 'schema.typo'],
  ])('%j', (schema, param) => {
    expect(refusal(() => checkJsonSchema(schema, 'schema'))).toMatchObject({
      code: 'invalid_schema',
      param,
    });
  });

  it('and so is one that nests too deep', () => {
    let schema: unknown = { type: 'null' };
    for (let i = 0; i < 40; i++) schema = { type: 'array', items: schema };
    expect(refusal(() => checkJsonSchema(schema, 's'))).toMatchObject({ code: 'invalid_schema' });
  });

  it('also inside a structural tag', () => {
    const tag = {
      format: { type: 'tag', content: { type: 'json_schema', json_schema: { not: {} } } },
    };
    expect(refusal(() => checkStructuralTag(tag))).toMatchObject({
      param: 'structural_tag.format.content.json_schema.not',
    });
  });
});

function refusal(check: () => void): TempoError | undefined {
  try {
    check();
  } catch (error) {
    if (error instanceof TempoError) return error;
  }
  return undefined;
}

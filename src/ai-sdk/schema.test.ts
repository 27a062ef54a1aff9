import { describe, expect, it } from 'vitest';
import { TempoError } from '../worker/protocol';
import { relaxed } from './relax';
import { schemaOf } from './schema';

describe('a schema of draft 7 in the server’s words', () => {
  const cases: [string, object, object][] = [
    [
      'leaves its dialect out',
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
      { type: 'object' },
    ],
    [
      'has prefixItems for a tuple',
      {
        type: 'array',
        items: [{ type: 'string' }, { type: 'number' }],
        additionalItems: false,
        minItems: 2,
      },
      {
        type: 'array',
        prefixItems: [{ type: 'string' }, { type: 'number' }],
        items: false,
        minItems: 2,
      },
    ],
    [
      'says nothing of names that are strings',
      { type: 'object', propertyNames: { type: 'string' }, additionalProperties: true },
      { type: 'object', additionalProperties: true },
    ],
    [
      'keeps what else is said of names',
      { type: 'object', propertyNames: { pattern: '^a' } },
      { type: 'object', propertyNames: { pattern: '^a' } },
    ],
    [
      'keeps a format beside its pattern, wherever that is',
      {
        anyOf: [{ $ref: '#/definitions/mail' }, { type: 'array', items: { format: 'uri' } }],
        definitions: { mail: { type: 'string', format: 'email', pattern: '@' } },
      },
      {
        anyOf: [{ $ref: '#/definitions/mail' }, { type: 'array', items: { format: 'uri' } }],
        definitions: { mail: { type: 'string', format: 'email', pattern: '@' } },
      },
    ],
    [
      'takes properties for what they are, whatever their names',
      {
        type: 'object',
        properties: { format: { type: 'string' }, pattern: { type: 'string' }, items: true },
        default: { items: [1], additionalItems: false },
      },
      {
        type: 'object',
        properties: { format: { type: 'string' }, pattern: { type: 'string' }, items: true },
        default: { items: [1], additionalItems: false },
      },
    ],
  ];

  it.each(cases)('%s', (_, given, words) => {
    const before = structuredClone(given);
    expect(schemaOf(given)).toEqual(words);
    expect(given).toEqual(before);
  });
});

describe('a refused schema', () => {
  const params = (schema: Record<string, unknown>) => ({
    response_format: { type: 'json_schema' as const, json_schema: { name: 'a', schema } },
  });
  const refusal = (path: string) =>
    new TempoError('invalid_schema', `${path} is not to be had.`, {
      param: `response_format.json_schema.schema${path}`,
    });

  it('loses the constraint that was refused, and a warning says so', () => {
    const given = params({ type: 'object', properties: { n: { type: 'number', multipleOf: 5 } } });
    const less = relaxed(given, refusal('.properties.n.multipleOf'));
    expect(less?.params).toEqual(params({ type: 'object', properties: { n: { type: 'number' } } }));
    expect(less?.warning).toEqual({
      type: 'compatibility',
      feature: 'JSON schema',
      details:
        '.properties.n.multipleOf is not to be had. It was left out while generating; the answer is validated all the same.',
    });
  });

  it('is found below names with dots and in lists', () => {
    const inner = (schema: object) =>
      params({ properties: { 'a.b': { anyOf: [{ type: 'null' }, schema] } } });
    const less = relaxed(
      inner({ type: 'string', pattern: '(' }),
      refusal('.properties.a.b.anyOf[1].pattern'),
    );
    expect(less?.params).toEqual(inner({ type: 'string' }));
  });

  it('is not a pattern that is the whole form: without it nothing would be left', () => {
    const given = { response_format: { type: 'regex' as const, pattern: '(' } };
    const thrown = new TempoError('invalid_schema', 'No.', { param: 'response_format.pattern' });
    expect(relaxed(given, thrown)).toBeUndefined();
  });

  it('loses no property that is called as a constraint is', () => {
    const given = params({ properties: { format: { minimum: 1 } } });
    expect(relaxed(given, refusal('.properties.format'))).toBeUndefined();
  });

  it.each([
    ['what values are', refusal('.properties.n.type')],
    ['nothing that is there', refusal('.properties.m.pattern')],
    ['another field', new TempoError('invalid_request', 'No.', { param: 'temperature' })],
    ['another failure', new Error('no')],
  ])('stays refused where it is about %s', (_, thrown) => {
    const given = params({ type: 'object', properties: { n: { type: 'complex' } } });
    expect(relaxed(given, thrown)).toBeUndefined();
  });
});

/** What the simulated engine makes up for a schema, judged by a validator and by the schema's grammar. */
import Ajv from 'ajv/dist/2020';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makingUp } from '../../src/engine/simulated/made-up';
import { TempoError } from '../../src/scheduler';
import { leastBlock } from '../chaos/blocks';
import { canBeWritten, grammarOf } from './followed';
import { SCHEMAS } from './random-schemas';
import { SUPPORTED } from './supported-schemas';

const ajv = new Ajv({ strict: false, validateFormats: false });

describe('what is made up for a schema is valid, and what a model could write', () => {
  it.each(SUPPORTED.map((schema) => [JSON.stringify(schema), schema] as const))(
    '%s',
    async (_, schema) => {
      const isValid = ajv.compile(schema === true ? {} : Object(schema));
      const grammar = await grammarOf(schema);
      const make = await makingUp(schema, 'schema');
      for (let seed = 0; seed < 20; seed++) {
        const value = await make(seed);
        expect(isValid(value), JSON.stringify(value)).toBe(true);
        expect(canBeWritten(grammar, value), JSON.stringify(value)).toBe(true);
      }
    },
  );
});

it('what is made up for any schema that passes is valid, and soon there', async () => {
  await fc.assert(
    fc.asyncProperty(SCHEMAS, fc.nat(), async (schema, seed) => {
      const make = await makingUp(schema, 'schema').catch((error: unknown) => {
        if (error instanceof TempoError && error.code === 'invalid_schema') return undefined;
        throw error;
      });
      fc.pre(make !== undefined);
      const value = await make(seed);
      expect(ajv.compile(schema)(value), JSON.stringify(value)).toBe(true);
      expect(JSON.stringify(value).length).toBeLessThan(20_000);
    }),
    { numRuns: 200 },
  );
});

describe('a made-up value', () => {
  const person = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      age: { type: 'integer', minimum: 0, maximum: 150 },
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['name', 'age', 'tags'],
  };

  it('is the same for the same seed, and mostly another for another', async () => {
    const some = async () => {
      const make = await makingUp(person, 'schema');
      const made = await Promise.all(Array.from({ length: 20 }, (_, seed) => make(seed)));
      return made.map((value) => JSON.stringify(value));
    };
    expect(await some()).toEqual(await some());
    expect(new Set(await some()).size).toBeGreaterThan(10);
  });

  it('comes to an end where its schema need not', async () => {
    const tree = {
      $defs: {
        node: {
          type: 'object',
          properties: {
            left: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
            right: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
            children: { type: 'array', items: { $ref: '#/$defs/node' } },
          },
          required: ['left', 'right', 'children'],
        },
      },
      $ref: '#/$defs/node',
    };
    const isValid = ajv.compile(tree);
    const make = await makingUp(tree, 'schema');
    for (let seed = 0; seed < 50; seed++) {
      const value = await make(seed);
      expect(isValid(value)).toBe(true);
      expect(JSON.stringify(value).length).toBeLessThan(5000);
    }
  });

  it('is an object where nothing else will do', async () => {
    const make = await makingUp({ maxProperties: 2 }, 'schema', { objects: true });
    for (let seed = 0; seed < 20; seed++) expect(await make(seed)).toEqual(expect.any(Object));
  });

  it.each([
    ['a billion items', { type: 'array', items: { type: 'integer' }, minItems: 1e9 }],
    [
      'lists of lists of lists',
      [50, 50, 50].reduce<object>((items, minItems) => ({ type: 'array', items, minItems }), {}),
    ],
    ['a billion properties', { type: 'object', minProperties: 1e9 }],
    ['a text of a billion characters', { type: 'string', minLength: 1e9 }],
  ])('of %s is an error, and holds nobody up', async (_, schema) => {
    const make = await makingUp(schema, 'schema');
    const block = await leastBlock(async () => {
      await expect(make(0)).rejects.toMatchObject({ code: 'invalid_schema', param: 'schema' });
    }, 50);
    expect(block).toBeLessThan(50);
  });

  it('that there is none of is an error with the schema’s path', async () => {
    const endless = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };
    await expect(makingUp(endless, 'response_format.json_schema.schema')).rejects.toMatchObject({
      code: 'invalid_schema',
      param: 'response_format.json_schema.schema',
    });
  });
});

/** What the simulated engine makes up for a schema, judged by a validator and by the schema's grammar. */
import Ajv from 'ajv/dist/2020';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJsonSchema, Grammars } from '../../src/engine/sampling';
import {
  SMALL_VOCABULARY,
  STOP,
  tokensOf,
} from '../../src/engine/sampling/small-vocabulary.test-data';
import { madeUp } from '../../src/engine/simulated/made-up';
import { SCHEMAS } from './random-schemas';
import { SUPPORTED } from './supported-schemas';

let grammars: Grammars;
beforeAll(async () => {
  grammars = await Grammars.create(SMALL_VOCABULARY);
});
afterAll(() => grammars.dispose());

const ajv = new Ajv({ strict: false, validateFormats: false });

/** JSON with the white space that models are held to. */
function spelt(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spelt).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${spelt(one)}`);
  return `{${fields.join(', ')}}`;
}

/** Whether a model that is held to the schema could have written it. */
async function couldBeWritten(schema: unknown, value: unknown): Promise<boolean> {
  const matcher = await grammars.matcher({ type: 'json_schema', schema: JSON.stringify(schema) });
  const taken = [...tokensOf(spelt(value)), STOP].every((token) => matcher.accept(token));
  matcher.dispose();
  return taken;
}

/** xgrammar spells constants in its own way: `/` as `\/`, and all within them. */
const holdsConstants = (schema: unknown) => /"(const|enum)"/.test(JSON.stringify(schema));

describe('what is made up for a schema is valid, and what a model could write', () => {
  it.each(SUPPORTED.map((schema) => [JSON.stringify(schema), schema] as const))(
    '%s',
    async (_, schema) => {
      const isValid = ajv.compile(schema === true ? {} : Object(schema));
      for (let seed = 0; seed < 20; seed++) {
        const value = madeUp(schema, seed);
        expect(isValid(value), JSON.stringify(value)).toBe(true);
        if (seed >= 3 || holdsConstants(schema)) continue;
        expect(await couldBeWritten(schema, value), spelt(value)).toBe(true);
      }
    },
  );
});

it('what is made up for any schema that passes is valid, and soon there', () => {
  fc.assert(
    fc.property(SCHEMAS, fc.nat(), (schema, seed) => {
      fc.pre(isSupported(schema));
      const value = madeUp(schema, seed);
      expect(ajv.compile(schema)(value), JSON.stringify(value)).toBe(true);
      expect(JSON.stringify(value).length).toBeLessThan(20_000);
    }),
    { numRuns: 300 },
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

  it('is the same for the same seed, and mostly another for another', () => {
    const some = Array.from({ length: 20 }, (_, seed) => JSON.stringify(madeUp(person, seed)));
    expect(some).toEqual(
      Array.from({ length: 20 }, (_, seed) => JSON.stringify(madeUp(person, seed))),
    );
    expect(new Set(some).size).toBeGreaterThan(10);
  });

  it('comes to an end where its schema need not', () => {
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
    for (let seed = 0; seed < 50; seed++) {
      const value = madeUp(tree, seed);
      expect(isValid(value)).toBe(true);
      expect(JSON.stringify(value).length).toBeLessThan(5000);
    }
  });

  it('that there is none of is an error that says what to do', () => {
    const endless = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };
    expect(() => madeUp(endless, 1)).toThrowError(
      expect.objectContaining({ code: 'unsupported', param: 'simulate' }),
    );
  });
});

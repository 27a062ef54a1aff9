/**
 * Schemas and their grammars, judged by a validator that knows nothing of grammars, in both directions:
 * what can be written is valid, and what is valid can be written.
 */

import Ajv from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/engine/sampling/grammar/machine';
import { makingUp } from '../../src/engine/simulated/made-up';
import { seededRandom, TempoError } from '../../src/scheduler';
import { canBeWritten, grammarOf, writtenAtRandom } from './followed';
import { SCHEMAS, VALUES } from './random-schemas';
import { SUPPORTED } from './supported-schemas';

const ajv = addFormats(new Ajv({ strict: false, logger: false, formats: { unknown: true } }));

/** Undefined where the schema is refused, typed and with a path. */
async function grammarOrNone(schema: object): Promise<Machine | undefined> {
  try {
    return await grammarOf(schema);
  } catch (error) {
    expect(error).toBeInstanceOf(TempoError);
    expect(error).toMatchObject({
      code: 'invalid_schema',
      param: expect.stringMatching(/^schema/),
    });
    return undefined;
  }
}

describe('whatever is written under a schema’s grammar is valid', () => {
  it.each(SUPPORTED.map((schema) => [JSON.stringify(schema), schema] as const))(
    '%s',
    async (_, schema) => {
      const isValid = ajv.compile(schema === true ? {} : Object(schema));
      const grammar = await grammarOf(schema);
      for (let seed = 0; seed < 20; seed++) {
        const written = writtenAtRandom(grammar, seededRandom(seed));
        if (written === undefined) continue; // long, not wrong
        expect(isValid(JSON.parse(written)), written).toBe(true);
      }
    },
  );
});

it('a value can be written under any schema exactly where it is valid', async () => {
  let [refused, compared, valid] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(
      SCHEMAS,
      fc.array(VALUES, { minLength: 8, maxLength: 8 }),
      fc.nat(),
      async (schema, values, seed) => {
        const isValid = ajv.compile(schema);
        const grammar = await grammarOrNone(schema);
        if (grammar === undefined) {
          refused++;
          return;
        }
        const make = await makingUp(schema, 'schema');
        for (const value of [await make(seed), ...values]) {
          if (isEmptyList(schema, value)) continue;
          compared++;
          const is = isValid(value);
          if (is) valid++;
          expect(canBeWritten(grammar, value), JSON.stringify(value)).toBe(is);
        }
        const written = writtenAtRandom(grammar, seededRandom(seed));
        if (written === undefined || isEmptyList(schema, JSON.parse(written))) return;
        expect(isValid(JSON.parse(written)), written).toBe(true);
      },
    ),
    { numRuns: 250 },
  );
  // Neither refused in the main, nor all the same.
  expect(refused).toBeLessThan(60);
  expect(valid).toBeGreaterThan(compared / 10);
  expect(valid).toBeLessThan((compared * 9) / 10);
}, 120_000);

/** The validator takes an empty list for one that contains what is allowed to be anything. */
function isEmptyList(schema: object, value: unknown): boolean {
  return JSON.stringify(schema).includes('"contains"') && JSON.stringify(value).includes('[]');
}

/** What is written under a schema's grammar, judged by a validator that knows nothing of grammars. */
import Ajv from 'ajv/dist/2020';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJsonSchema, Grammars } from '../../src/engine/sampling';
import { writeAtRandom } from '../../src/engine/sampling/random-writer.test-data';
import { SMALL_VOCABULARY } from '../../src/engine/sampling/small-vocabulary.test-data';
import { SCHEMAS } from './random-schemas';
import { SUPPORTED } from './supported-schemas';

let grammars: Grammars;
beforeAll(async () => {
  grammars = await Grammars.create(SMALL_VOCABULARY);
});
afterAll(() => grammars.dispose());

const ajv = new Ajv({ strict: false, validateFormats: false });
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

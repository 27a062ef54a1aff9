import Ajv from 'ajv';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TOOLS } from '../src/demo/agent/tools';
import { problems } from '../src/demo/agent/tools/check';

it.each(TOOLS.map((tool) => [tool.name, tool] as const))(
  'the arguments of %s are checked as a validator of JSON Schema checks them',
  (_, { parameters }) => {
    const validate = new Ajv().compile(parameters);
    const { properties = {} } = parameters;
    const names = Object.keys(properties as object);
    const value = fc.oneof(
      fc.constantFrom('', 'a', 'kg', 'lb', '2026-01-01', '2026-1-1', '😀', null, true, 0, 1, 2, 4),
      fc.constantFrom<unknown>(1.5, -36_526, 36_525, [], {}, ['kg'], { value: 1 }),
      fc.string(),
      fc.double(),
    );
    const args = fc.oneof(
      value,
      fc.dictionary(fc.constantFrom(...names, 'other', 'toString'), value, { maxKeys: 4 }),
      fc.record(Object.fromEntries(names.map((name) => [name, value]))),
    );
    fc.assert(
      fc.property(args, (given) => {
        const json = JSON.parse(JSON.stringify(given));
        expect(problems(json, parameters, 'arguments').length === 0).toBe(validate(json));
      }),
      { numRuns: 500 },
    );
  },
);

it('a schema that says something else is an error', () => {
  expect(() => problems(1, { multipleOf: 2 }, 'arguments')).toThrow(/multipleOf/);
});

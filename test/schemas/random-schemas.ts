/** JSON schemas of every supported keyword, nested at random, and values that they may or may not allow. */
import fc from 'fast-check';

/** In this order everywhere, so that few values are lost to the order of names. */
const NAMES = ['a', 'b', 'c"d', 'é', 'x1', 'x2'];
const TEXTS = ['', 'a', 'ab', 'b', 'x1', '"\\', 'é', '😀', 'a\nb', '12', '2024-02-29', '1.2.3.4'];
const NUMBERS = [0, 1, 2, 3, -1, 0.5, 1.5, 10, 0.1, 100, 1e21, 1e-7];

const few = (max: number, min = 0) => fc.integer({ min, max });
const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, false),
  fc.constantFrom(...NUMBERS),
  fc.constantFrom(...TEXTS),
);

/** Values of a small world, so that schemas often allow them. */
export const VALUES: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .tuple(
        fc.subarray(NAMES, { maxLength: 4 }),
        fc.array(tie('value'), { minLength: 4, maxLength: 4 }),
      )
      .map(([names, values]) => Object.fromEntries(names.map((name, i) => [name, values[i]]))),
  ),
})).value;

const PATTERNS = ['^a', 'b$', '^[ab]*$', '.', '^\\d+$', '^x', '\\W', '^.{1,2}$', '(?!a)', '^(?!x)'];
const FORMATS = ['date', 'ipv4', 'uuid', 'hostname', 'email', 'json-pointer', 'unknown'];
const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

/** Some of some keywords. */
function some(
  keywords: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  most: number,
): fc.Arbitrary<object> {
  return fc
    .tuple(
      fc.subarray(Object.keys(keywords), { minLength: 1, maxLength: most }),
      fc.record(keywords),
    )
    .map(([names, all]) => Object.fromEntries(names.map((name) => [name, Reflect.get(all, name)])));
}

export const SCHEMAS: fc.Arbitrary<object> = fc
  .letrec<{ schema: unknown; named: object }>((tie) => {
    const schema = tie('schema');
    const list = fc.array(schema, { minLength: 1, maxLength: 3 });
    const map = (names: readonly string[]) =>
      fc
        .tuple(
          fc.subarray([...names], { maxLength: Math.min(3, names.length) }),
          fc.array(schema, { minLength: 3, maxLength: 3 }),
        )
        .map(([keys, parts]) => Object.fromEntries(keys.map((key, i) => [key, parts[i]])));
    const values = {
      const: VALUES,
      enum: fc.uniqueArray(VALUES, {
        minLength: 1,
        maxLength: 4,
        selector: (one) => JSON.stringify(one),
      }),
      type: fc.oneof(fc.constantFrom(...TYPES), fc.subarray(TYPES, { minLength: 1, maxLength: 3 })),
    };
    const numbers = {
      type: fc.constantFrom('integer', 'number'),
      minimum: few(3, -2),
      maximum: few(11),
      exclusiveMinimum: few(2, -2).map((n) => n / 2),
      exclusiveMaximum: few(4).map((n) => n / 2),
      multipleOf: fc.constantFrom(1, 2, 0.5, 0.1),
    };
    const strings = {
      type: fc.constant('string'),
      minLength: few(2),
      maxLength: few(3),
      pattern: fc.constantFrom(...PATTERNS),
      format: fc.constantFrom(...FORMATS),
    };
    const objects = {
      type: fc.constant('object'),
      properties: map(NAMES),
      required: fc.subarray(NAMES, { maxLength: 2 }),
      additionalProperties: schema,
      patternProperties: map(['^x', 'a', '\\W']),
      propertyNames: schema,
      minProperties: few(2),
      maxProperties: few(3),
      dependentRequired: fc
        .tuple(fc.constantFrom(...NAMES), fc.subarray(NAMES, { maxLength: 2 }))
        .map(([name, needed]) => ({ [name]: needed })),
      dependentSchemas: map(['a', 'x1']),
      unevaluatedProperties: schema,
    };
    const arrays = {
      type: fc.constant('array'),
      items: schema,
      prefixItems: list,
      minItems: few(2),
      maxItems: few(3),
      uniqueItems: fc.boolean(),
      contains: schema,
      minContains: few(2),
      maxContains: few(2),
      unevaluatedItems: schema,
    };
    const logic = {
      allOf: list,
      anyOf: list,
      oneOf: list,
      not: schema,
      if: schema,
      // biome-ignore lint/suspicious/noThenProperty: it is JSON Schema's word
      then: schema,
      else: schema,
      $ref: fc.constantFrom('#/$defs/one', '#/$defs/two'),
    };
    const named = fc.oneof(
      some(values, 2),
      some(numbers, 4),
      some(strings, 4),
      some(objects, 4),
      some(objects, 4),
      some(arrays, 4),
      some(logic, 2),
      some({ ...logic, ...objects }, 4),
      some({ ...logic, ...arrays }, 4),
      some({ ...values, ...numbers, ...strings, ...objects, ...arrays, ...logic }, 4),
    );
    return {
      named,
      schema: fc.oneof(
        { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
        fc.boolean(),
        tie('named'),
        fc.constantFrom({ type: 'string' }, { type: 'integer' }, { type: 'object' }, {}),
      ),
    };
  })
  .named.chain((schema) =>
    JSON.stringify(schema).includes('"$ref"')
      ? fc.constant(schema).map((one) => ({
          ...one,
          $defs: {
            one: {
              type: ['array', 'null', 'integer'],
              items: { $ref: '#/$defs/one' },
              maxItems: 2,
            },
            two: { properties: { a: { $ref: '#/$defs/two' }, b: { const: 1 } }, minProperties: 1 },
          },
        }))
      : fc.constant(schema),
  );

/** JSON schemas of every supported kind, nested at random. */
import fc from 'fast-check';

/** None that a random writer comes upon by itself: a name twice would be two values. */
const NAMES = ['alpha', 'beta', 'gamma', 'c"d', 'é'];
const few = (max: number, min = 0) => fc.integer({ min, max });
/** The validator's comparison takes a `valueOf` or `toString` for the object's own method. */
const value = fc
  .jsonValue({ maxDepth: 1 })
  .filter((json) => !/"(valueOf|toString|constructor|__proto__)"/.test(JSON.stringify(json)));

const leaf = fc.oneof(
  fc.constantFrom<object>({ type: 'boolean' }, { type: 'null' }, { type: 'array' }),
  fc.record(
    { type: fc.constant('integer'), minimum: few(50, -50), maximum: few(500, 50) },
    { requiredKeys: ['type'] },
  ),
  fc.record(
    {
      type: fc.constant('number'),
      minimum: few(50, -500).map((n) => n / 100),
      exclusiveMaximum: few(500, 51).map((n) => n / 10),
    },
    { requiredKeys: ['type'] },
  ),
  fc.record(
    { type: fc.constant('string'), minLength: few(3), maxLength: few(9, 3) },
    { requiredKeys: ['type'] },
  ),
  fc.record({
    type: fc.constant('string'),
    pattern: fc.constantFrom('^[a-z]+$', '^\\w{2,4}-\\d$', 'x|y?z', '^.$', '"?\\\\'),
  }),
  fc.record({
    type: fc.constantFrom(['integer', 'null'], ['string', 'boolean'], ['array', 'number']),
    minimum: few(9),
  }),
  fc.record({ enum: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ const: value }),
);

export const SCHEMAS: fc.Arbitrary<object> = fc.letrec<{ schema: object }>((tie) => {
  const object = fc
    .tuple(
      fc.dictionary(fc.constantFrom(...NAMES), tie('schema'), { maxKeys: 4 }),
      fc.subarray(NAMES),
      fc.record(
        {
          additionalProperties: fc.oneof(tie('schema'), fc.boolean()),
          minProperties: few(2),
          maxProperties: few(4, 2),
        },
        { requiredKeys: [] },
      ),
    )
    .map(([properties, wanted, rest]) => ({
      type: 'object',
      properties,
      required: wanted.filter((name) => name in properties),
      ...rest,
    }));
  const array = fc.record(
    {
      type: fc.constant('array'),
      items: fc.oneof(tie('schema'), fc.constant(false)),
      prefixItems: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }),
      minItems: few(2),
      maxItems: few(4, 2),
    },
    { requiredKeys: ['type'] },
  );
  const choice = fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) });
  return { schema: fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, object, array, choice) };
}).schema;

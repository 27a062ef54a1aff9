/** Schemas, patterns and grammars that ask for more than can be done: none holds up anybody else. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileGrammar } from '../../src/engine/sampling/grammar/grammar';
import { Pace } from '../../src/engine/sampling/pace';
import { type GrammarSpec, TempoError } from '../../src/scheduler';

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const nested = (depth: number, wrap: (inner: unknown) => unknown, inner: unknown): unknown => {
  let value = inner;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
};
const named = (count: number, make: (i: number) => unknown): object =>
  Object.fromEntries(times(count, (i) => [`p${i}`, make(i)]));
const characters = times(20_000, (i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join(
  '',
);
const schema = (value: unknown): GrammarSpec => ({
  type: 'json_schema',
  schema: JSON.stringify(value),
  path: 'schema',
});
const pattern = (text: string) => schema({ type: 'string', pattern: text });
const ebnf = (grammar: string): GrammarSpec => ({ type: 'ebnf', grammar });

const HOSTILE: Record<string, GrammarSpec> = {
  'subschemas shared by reference, twenty deep': schema({
    $defs: Object.fromEntries(
      times(20, (i) => [
        `d${i}`,
        i === 0
          ? { type: 'string' }
          : { properties: { a: { $ref: `#/$defs/d${i - 1}` }, b: { $ref: `#/$defs/d${i - 1}` } } },
      ]),
    ),
    $ref: '#/$defs/d19',
  }),
  'subschemas written out, twelve deep': schema(
    nested(12, (one) => ({ type: 'object', properties: { a: one, b: one } }), { type: 'integer' }),
  ),
  'a hundred thousand schemas, one in the other': {
    type: 'json_schema',
    schema: `${'{"items":'.repeat(100_000)}{}${'}'.repeat(100_000)}`,
    path: 'schema',
  },
  'a constant that is 3,000 lists deep': schema({ const: nested(3000, (one) => [one], 1) }),
  'a default that is 3,000 lists deep': schema({ default: nested(3000, (one) => [one], 1) }),
  'a chain of 5,000 references': schema({
    $defs: Object.fromEntries(
      times(5000, (i) => [`d${i}`, i === 0 ? true : { $ref: `#/$defs/d${i - 1}` }]),
    ),
    $ref: '#/$defs/d4999',
  }),
  'a hundred thousand values': schema({ enum: times(100_000, (i) => `value ${i}`) }),
  'a constant of three million characters': schema({ const: 'x'.repeat(3_000_000) }),
  'a name of a million characters': schema({ required: ['n'.repeat(1_000_000)] }),
  '3,000 optional properties': schema({ type: 'object', properties: named(3000, () => ({})) }),
  'twelve choices of ten at once': schema({
    allOf: times(12, (j) => ({
      anyOf: times(10, (i) => ({ properties: { [`p${j}`]: { const: i } } })),
    })),
  }),
  '300 branches that are not known to exclude each other': schema({
    oneOf: times(300, (i) => ({ type: 'object', properties: { [`k${i}`]: { const: i } } })),
  }),
  '50 patterns of names that overlap': schema({
    patternProperties: Object.fromEntries(times(50, (i) => [`a.*${i}`, { minimum: i }])),
  }),
  'a pattern of 200 groups, one in the other': pattern(`${'('.repeat(200)}a${')'.repeat(200)}`),
  'a class of 20,000 characters': pattern(`[${characters}]{3,5}`),
  'a class of 15,000 characters': pattern(`[${characters.slice(0, 15_000)}]{3,5}`),
  'repetitions of repetitions': pattern('((a{64}){64}){64}'),
  'a pattern that takes exponentially many states': pattern('a.{20}$'),
  'bounds that make a square of states': pattern('^.{0,1000}x.{0,1000}$'),
  'two patterns that together have 100,000 states': schema({
    type: 'string',
    allOf: [{ pattern: '^(?:.{97})*$' }, { pattern: '^(?:.{1013})*[a-z]$' }],
  }),
  '2,000 alternatives': pattern(times(2000, (i) => `w${i}`).join('|')),
  'twelve lookaheads': pattern(
    `^${times(12, (i) => `(?=.*${String.fromCharCode(97 + i)})`).join('')}`,
  ),
  'a grammar of nested parentheses': ebnf(`root ::= ${'('.repeat(40_000)}"a"${')'.repeat(40_000)}`),
  'a grammar that repeats repetitions': ebnf('root ::= ((("a"{1,1000}){1,1000}){1,1000}){1,1000}'),
  'a grammar whose rules double': ebnf(
    times(40, (i) => `${i ? `r${i}` : 'root'} ::= ${i < 39 ? `r${i + 1} r${i + 1}` : '"x"'}`).join(
      '\n',
    ),
  ),
  'a grammar with a class of 20,000 characters': ebnf(`root ::= [${characters}]+`),
};

/** Of this process, in ms: others that compute beside it do not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let [sliceStartMs, longestMs] = [0, 0];
const { rest } = Pace.prototype;

function sliceEnds(): void {
  longestMs = Math.max(longestMs, cpuMs() - sliceStartMs);
}

beforeAll(async () => {
  Pace.prototype.rest = async function (this: Pace) {
    sliceEnds();
    await rest.call(this);
    sliceStartMs = cpuMs();
  };
  // Engines run code faster when they have seen it.
  for (const spec of Object.values(HOSTILE)) await compiled(spec);
}, 120_000);
afterAll(() => {
  Pace.prototype.rest = rest;
});

async function compiled(spec: GrammarSpec): Promise<{ error?: unknown; totalMs: number }> {
  const startMs = cpuMs();
  [sliceStartMs, longestMs] = [startMs, 0];
  try {
    await compileGrammar(spec);
    return { totalMs: cpuMs() - startMs };
  } catch (error) {
    return { error, totalMs: cpuMs() - startMs };
  } finally {
    sliceEnds();
  }
}

it.each(Object.entries(HOSTILE))(
  '%s: compiled or refused by its path, within seconds, and nobody waits for it',
  async (_, spec) => {
    const { error, totalMs } = await compiled(spec);
    if (error !== undefined) {
      expect(error).toBeInstanceOf(TempoError);
      expect(error).toMatchObject({
        code: 'invalid_schema',
        param: expect.stringMatching(/^(schema|grammar)/),
      });
    }
    expect(totalMs).toBeLessThan(4000);
    expect(longestMs).toBeLessThan(50);
  },
  30_000,
);

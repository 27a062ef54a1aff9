import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Bounds, boundsOf, decimalRange, integerRange } from './number-range';
import { type LoadedXGrammar, loadXGrammar } from './xgrammar';

let loaded: LoadedXGrammar;
beforeAll(async () => {
  loaded = await loadXGrammar();
});

/** Those of the texts that the rule takes. */
async function taken(rule: string | undefined, texts: Iterable<string>): Promise<string[]> {
  if (rule === undefined) return [];
  const { Grammar, Testings } = loaded.library;
  const grammar = await Grammar.fromEBNF(`root ::= ${rule}`);
  const accepted: string[] = [];
  for (const text of texts) {
    if (await Testings.isGrammarAcceptString(grammar, text)) accepted.push(text);
  }
  grammar.dispose();
  return accepted;
}

function inside(value: number, bounds: Bounds): boolean {
  const { min = -Infinity, max = Infinity, exclusiveMin, exclusiveMax } = bounds;
  return (exclusiveMin ? value > min : value >= min) && (exclusiveMax ? value < max : value <= max);
}

const bounds = (bound: fc.Arbitrary<number>) =>
  fc.record<Bounds>(
    { min: bound, max: bound, exclusiveMin: fc.boolean(), exclusiveMax: fc.boolean() },
    { requiredKeys: [] },
  );

describe('a range of numbers', () => {
  it('takes the integers within its bounds and no others', async () => {
    const values = fc.array(fc.integer({ min: -2000, max: 2000 }), { maxLength: 20 });
    const bound = fc.oneof(
      fc.integer({ min: -30, max: 30 }),
      fc.integer({ min: -1500, max: 1500 }),
    );
    await fc.assert(
      fc.asyncProperty(bounds(bound), values, async (range, some) => {
        const { min = 0, max = 0 } = range;
        const all = new Set([...some, min - 1, min, min + 1, max - 1, max, max + 1, 0, -1, 10]);
        const expected = [...all].filter((value) => inside(value, range)).map(String);
        expect(await taken(integerRange(range), [...all].map(String))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('takes the decimals within its bounds and no others', async () => {
    const hundredth = fc.integer({ min: -4000, max: 4000 }).map((n) => n / 100);
    await fc.assert(
      fc.asyncProperty(bounds(hundredth), fc.array(hundredth), async (range, some) => {
        const { min = 0, max = 0 } = range;
        const longer = (n: number) => `${n}${Number.isInteger(n) ? '.' : ''}`;
        const texts = [...some, min, max, 0, 1, -1].map(String);
        texts.push(`${longer(min)}0`, `${longer(min)}01`, `${longer(max)}00`, `${longer(max)}01`);
        const expected = texts.filter((text) => inside(Number(text), range));
        expect(await taken(decimalRange(range), texts)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('may be of any size', async () => {
    const big = { min: 2 ** 53 - 2, max: 2 ** 53 - 1 };
    const texts = ['9007199254740989', '9007199254740990', '9007199254740991', '9007199254740992'];
    expect(await taken(integerRange(big), texts)).toEqual(texts.slice(1, 3));
    expect(
      await taken(decimalRange({ min: 1e-7, max: 2e-7 }), ['0.0000001', '0.00000021']),
    ).toEqual(['0.0000001']);
  });

  it('is none where its ends cross', () => {
    expect(integerRange({ min: 0.2, max: 0.8 })).toBeUndefined();
    expect(decimalRange({ min: 1, max: 1, exclusiveMax: true })).toBeUndefined();
    expect(decimalRange({ min: 2, max: 1 })).toBeUndefined();
  });

  it('is bounded by the tighter keyword', () => {
    expect(boundsOf({ minimum: 3, exclusiveMinimum: 3, maximum: 8, exclusiveMaximum: 9 })).toEqual({
      min: 3,
      exclusiveMin: true,
      max: 8,
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from './evaluate';

/** What it came to, or why it did not, and how long that took. */
/** The best of three, since whatever else runs may hold one up. */
function timed(expression: string): ReturnType<typeof once> {
  let best = once(expression);
  for (let tries = 1; tries < 3 && best.ms > 50; tries++) {
    const next = once(expression);
    if (next.ms < best.ms) best = next;
  }
  return best;
}

function once(expression: string): { result: number | string; ms: number } {
  const start = performance.now();
  let result: number | string;
  try {
    result = evaluate(expression);
  } catch (thrown) {
    result = thrown instanceof Error ? `error: ${thrown.message}` : 'error';
  }
  return { result, ms: performance.now() - start };
}

/** The whole number that a reader of the answer's JSON sees. */
function written(value: number | string): bigint {
  const [, digits, part = '', power = '0'] =
    /^(-?\d+)\.?(\d*)(?:e\+(\d+))?$/.exec(`${value}`) ?? [];
  return BigInt(digits + part) * 10n ** BigInt(Number(power) - part.length);
}

describe('an expression', () => {
  it.each<[string, number | string]>([
    ['12 * (3 * 64.5 + 18)', 2538],
    ['500000000001 + 500000000001', 1_000_000_000_002],
    ['2^53', 9_007_199_254_740_992],
    ['2^53 + 1', '9007199254740993'],
    ['2^64', '18446744073709551616'],
    ['-2^2', -4],
    ['2^3^2', 512],
    ['2^-2', 0.25],
    ['(-8)^3', -512],
    ['(-1)^1000000001', -1],
    ['0.1 + 0.2', 0.3],
    ['1/3*3', 1],
    ['1/3', 0.333333333333333],
    ['2/3', 0.666666666666667],
    ['123456789012.3456789 + 0', '123456789012.3456789'],
    ['1e3 + .5', 1000.5],
    ['6.02e23', 6.02e23],
    ['1e-7', 1e-7],
    ['7 % 3', 1],
    ['-7 mod 3', 2],
    ['100 + 5%', 105],
    ['200 * 5%', 10],
    ['5% * 200 + 1', 11],
    ['2 pi', 6.28318530717959],
    ['6 / 2 (1 + 2)', 9],
    ['3 × 4 ÷ 6 − 1', 1],
    ['20!', 2_432_902_008_176_640_000],
    ['25!', '15511210043330985984000000'],
    ['factorial(10)', 3_628_800],
    ['combinations(10, 3)', 120],
    ['combinations(1e9, 2)', 499_999_999_500_000_000],
    ['permutations(5, 2)', 20],
    ['sqrt(16) + sqrt(2.25)', 5.5],
    ['sqrt(3)', 1.73205080756888],
    ['nthRoot(-27, 3)', -3],
    ['round(2.345, 2)', 2.35],
    ['round(-2.5)', -3],
    ['floor(-2.5) + ceil(2.1) + trunc(-1.9)', -1],
    ['mean([1, 2, 3, 6])', 3],
    ['median(3, 1, 2) + max(1, 5) - min(2, 4)', 5],
    ['log(1000, 10) + log2(8) + ln(e)', 7],
    ['gcd(12, 18, 8) + lcm(4, 6)', 14],
    ['hypot(3, 4)', 5],
    ['abs(-3) + sign(-2)', 2],
  ])('%s is %s', (expression, value) => {
    expect(evaluate(expression)).toBe(value);
  });

  it.each([
    '1:999999999999',
    'sum(1:999999999999)',
    'combinations(1e9, 5e8)',
    'permutations(1e9, 5e8)',
    '9^9^9',
    '9^9^9^9',
    '10^-(10^10)!',
    '170!!',
    '1e9!',
    '(1e300)^(1e300)',
    'round(1, 1e9)',
    '1 / 0',
    '0 / 0',
    '0^-1',
    '2^-4000',
    '0.5^1e9',
    '1 / 9^9^9',
    '5 mod 0',
    'sqrt(-1)',
    'log(0)',
    'f(x) = f(x)',
    'import({})',
    'constructor(1)',
    'x',
    '2 3',
    '2 +',
    '(1',
    'sqrt()',
    'sqrt(1, 2)',
    '',
    '()',
    '1, 2',
    `1${' + 1'.repeat(500)}`,
    '('.repeat(999),
    `sum(${'1e-400,'.repeat(140)}3)/7^9^9`,
    `1e-400${'+1/7e99'.repeat(140)}^9!!!!`,
  ])('that has no finite value, or would take for ever, is an error at once: %s', (expression) => {
    const { result, ms } = timed(expression);
    expect(result).toMatch(/^error: .+\.$/);
    expect(ms).toBeLessThan(100);
  });

  it('of any kind ends within a tenth of a second', () => {
    const part = fc.constantFrom(
      ...[
        '1',
        '9',
        '1e9',
        '1e300',
        '1e-300',
        '0.1',
        '7/3',
        'pi',
        '(',
        ')',
        '^',
        '^',
        '!',
        '%',
        '+',
      ],
      ...['-', '*', '/', ',', ' ', 'combinations(', 'sum(', 'mean(', 'gcd(', 'round(', 'nthRoot('],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        expect(timed(parts.join('')).ms).toBeLessThan(100);
      }),
      { numRuns: 2000 },
    );
  });

  it('of whole numbers is exact, as long as they may be', () => {
    const sign = fc.constantFrom('+', '-', '*');
    const number = fc.bigInt({ min: 0n, max: 10n ** 25n });
    fc.assert(
      fc.property(number, sign, number, sign, number, (a, first, b, second, c) => {
        const exact: (x: bigint, o: string, y: bigint) => bigint = (x, o, y) =>
          o === '+' ? x + y : o === '-' ? x - y : x * y;
        const value = evaluate(`(${a} ${first} ${b}) ${second} ${c}`);
        const wanted = exact(exact(a, first, b), second, c);
        if (`${wanted}`.replace('-', '').length <= 64) expect(written(value)).toBe(wanted);
        else expect(Number(value) / Number(wanted)).toBeCloseTo(1, 12);
      }),
    );
  });
});

/** The functions that an expression may call. None of them takes long, whatever it is given. */
import {
  add,
  bitsOf,
  compare,
  decimal,
  divide,
  type Fraction,
  floor,
  fraction,
  gcd,
  isFraction,
  isWhole,
  MAX_BITS,
  modulo,
  multiply,
  negate,
  power,
  toNumber,
  type Value,
  whole,
} from './value';

interface Callable {
  /** How many values it takes. */
  least: number;
  most: number;
  call(values: readonly Value[]): Value;
}

const ZERO = whole(0);
const HALF = decimal('0.5');

const one = (call: (value: Value) => Value): Callable => ({
  least: 1,
  most: 1,
  call: ([value]) => call(value),
});
const two = (call: (a: Value, b: Value) => Value): Callable => ({
  least: 2,
  most: 2,
  call: ([a, b]) => call(a, b),
});
const many = (call: (values: readonly Value[]) => Value): Callable => ({
  least: 1,
  most: Number.POSITIVE_INFINITY,
  call,
});
/** Of floats: a whole number that comes out is one. */
const float = (call: (value: number) => number): Callable =>
  one((value) => exactIfWhole(call(toNumber(value))));

const exactIfWhole = (n: number): Value => (Number.isSafeInteger(n) ? whole(n) : n);
const absolute = (a: Value): Value => (compare(a, ZERO) < 0 ? negate(a) : a);
const ceiling = (a: Value): Value => negate(floor(negate(a)));
const truncated = (a: Value): Value => (compare(a, ZERO) < 0 ? ceiling(a) : floor(a));
const sum = (values: readonly Value[]): Value => values.reduce(add);

/** Half away from zero, to so many places after the point. */
function round(value: Value, places: Value = ZERO): Value {
  const scale = power(whole(10), wholeNumber(places));
  const nearest = floor(add(multiply(absolute(value), scale), HALF));
  const rounded = divide(nearest, scale);
  return compare(value, ZERO) < 0 ? negate(rounded) : rounded;
}

function median(values: readonly Value[]): Value {
  const sorted = [...values].sort(compare);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  return multiply(add(sorted[middle - 1], sorted[middle]), HALF);
}

function logarithm(value: Value, base?: Value): Value {
  const n = toNumber(value);
  const b = base === undefined ? Math.E : toNumber(base);
  if (b === 10) return exactIfWhole(Math.log10(n));
  if (b === 2) return exactIfWhole(Math.log2(n));
  return exactIfWhole(base === undefined ? Math.log(n) : Math.log(n) / Math.log(b));
}

/** The whole number whose square it is, or a float. */
function root(value: Value): Value {
  const near = Math.sqrt(toNumber(value));
  if (!isFraction(value) || !Number.isSafeInteger(Math.round(near))) return near;
  const parts = [value.above, value.below].map((n) => BigInt(Math.round(Math.sqrt(Number(n)))));
  const isExact = parts[0] ** 2n === value.above && parts[1] ** 2n === value.below;
  return isExact ? fraction(parts[0], parts[1]) : near;
}

function wholeNumber(value: Value): Fraction {
  if (isWhole(value)) return value;
  throw new Error('It needs a whole number there.');
}

/** A whole number from 0. */
function count(value: Value): bigint {
  const { above } = wholeNumber(value);
  if (above < 0n) throw new Error('It needs a number of at least 0 there.');
  return above;
}

/** `from · (from - 1) · …`, so many factors; each two of them divided by what `by` says of it. */
function falling(from: bigint, factors: bigint, by: (factor: bigint) => bigint): Value {
  let product = 1n;
  for (let i = 0n; i < factors; i++) {
    product = (product * (from - i)) / by(i + 1n);
    if (bitsOf(product) > MAX_BITS) return Number.POSITIVE_INFINITY;
  }
  return fraction(product);
}

export function factorial(value: Value): Value {
  const n = count(value);
  return falling(n, n, () => 1n);
}

function permutations(n: Value, k: Value = n): Value {
  const [all, some] = [count(n), count(k)];
  return some > all ? ZERO : falling(all, some, () => 1n);
}

function combinations(n: Value, k: Value): Value {
  const [all, some] = [count(n), count(k)];
  if (some > all) return ZERO;
  return falling(all, 2n * some > all ? all - some : some, (i) => i);
}

function lcm(a: Value, b: Value): Value {
  const [x, y] = [wholeNumber(a).above, wholeNumber(b).above];
  return x === 0n || y === 0n ? ZERO : absolute(fraction((x * y) / gcd(x, y)));
}

const log: Callable = { least: 1, most: 2, call: ([value, base]) => logarithm(value, base) };
const mean = many((values) => divide(sum(values), whole(values.length)));

const FUNCTIONS: Readonly<Record<string, Callable>> = {
  abs: one(absolute),
  acos: float(Math.acos),
  asin: float(Math.asin),
  atan: float(Math.atan),
  atan2: two((y, x) => Math.atan2(toNumber(y), toNumber(x))),
  average: mean,
  cbrt: float(Math.cbrt),
  ceil: one(ceiling),
  combinations: two(combinations),
  cos: float(Math.cos),
  cosh: float(Math.cosh),
  exp: float(Math.exp),
  factorial: one(factorial),
  fix: one(truncated),
  floor: one(floor),
  gcd: many((values) =>
    values.reduce((a, b) => fraction(gcd(wholeNumber(a).above, wholeNumber(b).above))),
  ),
  hypot: many((values) => root(sum(values.map((value) => multiply(value, value))))),
  lcm: many((values) => values.reduce(lcm)),
  ln: one((value) => logarithm(value)),
  log,
  log10: one((value) => logarithm(value, whole(10))),
  log2: one((value) => logarithm(value, whole(2))),
  max: many((values) => values.reduce((a, b) => (compare(a, b) >= 0 ? a : b))),
  mean,
  median: many(median),
  min: many((values) => values.reduce((a, b) => (compare(a, b) <= 0 ? a : b))),
  mod: two(modulo),
  nthRoot: { least: 1, most: 2, call: ([value, n]) => nthRoot(value, n) },
  permutations: { least: 1, most: 2, call: ([n, k]) => permutations(n, k) },
  pow: two(power),
  prod: many((values) => values.reduce(multiply)),
  round: { least: 1, most: 2, call: ([value, places]) => round(value, places) },
  sign: one((value) => whole(Math.sign(compare(value, ZERO)))),
  sin: float(Math.sin),
  sinh: float(Math.sinh),
  sqrt: one(root),
  square: one((value) => multiply(value, value)),
  sum: many(sum),
  tan: float(Math.tan),
  tanh: float(Math.tanh),
  trunc: one(truncated),
};

function nthRoot(value: Value, n: Value = whole(2)): Value {
  const times = toNumber(n);
  if (times === 2) return root(value);
  const base = toNumber(value);
  // Odd roots of what is below zero are below zero.
  const sign = base < 0 && Math.abs(times % 2) === 1 ? -1 : 1;
  const near = sign * (sign * base) ** (1 / times);
  const nearest = exactIfWhole(Math.round(near));
  return compare(power(nearest, n), value) === 0 ? nearest : near;
}

/** Throws where there is no such function, or it takes another number of values. */
export function call(name: string, values: readonly Value[]): Value {
  if (!Object.hasOwn(FUNCTIONS, name)) {
    throw new Error(
      `There is no function "${name}". Use one of ${Object.keys(FUNCTIONS).join(', ')}.`,
    );
  }
  const { least, most, call: run } = FUNCTIONS[name];
  if (values.length >= least && values.length <= most) return run(values);
  throw new Error(`${name} does not take ${values.length} values.`);
}

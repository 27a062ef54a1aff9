/**
 * Numbers as they are written, digit by digit: JSON.stringify's spelling, and zeros after a fraction
 * (`2.50`) where numbers need not be whole. A text that is being written can always be completed to a
 * number of its set.
 */
import { hasNumber, type Numbers, nextDown, nextUp } from './numbers';

/** JSON.stringify writes longer ones with an exponent. */
const MAX_DIGITS = 21;
/** Significant digits where there is a fraction: no double needs more. */
const MAX_SIGNIFICANT = 17;
/** Zeros after `0.`: smaller numbers have an exponent. */
const MAX_ZEROS = 5;
const LARGE = { from: 21, to: 308 };
const SMALL = { from: 7, to: 324 };
const ALL_EXPONENTS = [
  ...Array.from({ length: LARGE.to - LARGE.from + 1 }, (_, i) => LARGE.from + i),
  ...Array.from({ length: SMALL.to - SMALL.from + 1 }, (_, i) => -SMALL.from - i),
];
/** Candidates that are tried where a set is not just a range. */
const TRIES = 256;

interface Parts {
  sign: '' | '-';
  whole: string;
  /** Digits after the point; undefined before there is one. */
  fraction: string | undefined;
  exponentSign: string | undefined;
  exponent: string | undefined;
}

const PREFIX = /^(-?)(0|[1-9]\d*)?(?:\.(\d*))?(?:e([+-]?)(\d*))?$/;

function partsOf(text: string): Parts | undefined {
  const [all, sign, whole = '', fraction, exponentSign, exponent] = PREFIX.exec(text) ?? [];
  if (all === undefined) return undefined;
  if (whole === '' && (fraction !== undefined || exponentSign !== undefined)) return undefined;
  return { sign: sign === '-' ? '-' : '', whole, fraction, exponentSign, exponent };
}

/** Whether the text is a number of the set, in a spelling that may be written. */
export function isComplete(numbers: Numbers, text: string): boolean {
  const parts = partsOf(text);
  if (parts === undefined || parts.whole === '' || parts.fraction === '' || parts.exponent === '') {
    return false;
  }
  if (!isSpelling(numbers, parts)) return false;
  const value = Number(text);
  if (parts.exponent !== undefined && !sameScale(value, parts)) return false;
  if (value === 0 && parts.sign === '-') return false;
  return Math.abs(value) <= limitOf(numbers) && hasNumber(numbers, value);
}

/** From 2^52 on all doubles are whole; multiples are told from their neighbours up to 2^53. */
function limitOf({ multiples, whole }: Numbers): number {
  if (whole === false) return 2 ** 52;
  return multiples.length > 0 ? 2 ** 53 : Infinity;
}

/** Whether a value with an exponent is one that JSON.stringify writes so. */
function sameScale(value: number, { exponentSign }: Parts): boolean {
  const size = Math.abs(value);
  return exponentSign === '+' ? size >= 1e21 && size < Infinity : size < 1e-6 && size > 0;
}

/** Whether some number of the set is written with this text first. */
export function isPrefix(numbers: Numbers, text: string): boolean {
  if (numbers.values !== undefined) {
    return numbers.values.some((value) => JSON.stringify(value).startsWith(text));
  }
  const parts = partsOf(text);
  if (parts === undefined || !isSpelling(numbers, parts)) return false;
  if (text === '' && isPrefix(numbers, '-')) return true;
  if (parts.exponentSign === undefined && reachesPlain(numbers, parts)) return true;
  return reachesWithExponent(numbers, parts);
}

/** Whether more digits, up to the limits, would not make another difference than those before. */
function isSpelling(numbers: Numbers, { whole, fraction, exponentSign }: Parts): boolean {
  if (whole.length > MAX_DIGITS) return false;
  if (fraction !== undefined) {
    if (numbers.whole === true && exponentSign === undefined) {
      // Only on the way to an exponent.
      if (!mayHaveExponent(numbers) || whole.length !== 1 || whole === '0') return false;
    }
    const zeros = whole === '0' ? (/^0*/.exec(fraction)?.[0].length ?? 0) : 0;
    if (zeros > MAX_ZEROS) return false;
    const places = Math.max(1, fraction.length);
    const significant = whole === '0' ? places - zeros : whole.length + places;
    if (significant > MAX_SIGNIFICANT) return false;
  }
  if (exponentSign === undefined) return true;
  return (
    mayHaveExponent(numbers) &&
    whole.length === 1 &&
    whole !== '0' &&
    (fraction === undefined || /[1-9]$/.test(fraction))
  );
}

/** Multiples are written in full. */
function mayHaveExponent({ whole, multiples, min, max }: Numbers): boolean {
  if (multiples.length > 0) return false;
  if (whole === true) return max >= 1e21 || min <= -1e21;
  return true;
}

function reachesPlain(numbers: Numbers, { sign, whole, fraction }: Parts): boolean {
  const negative = sign === '-';
  const fractions = numbers.whole !== true;
  const within = (from: number, to: number, inFractions: boolean) =>
    from <= to &&
    (negative
      ? anyWithin(numbers, -to, -from, inFractions)
      : anyWithin(numbers, from, to, inFractions));
  if (whole === '') {
    const largest = Number('9'.repeat(MAX_DIGITS));
    if (!negative && hasNumber(numbers, 0)) return true;
    return within(1, largest, fractions) || (fractions && within(1e-6, 1, true));
  }
  if (fraction !== undefined) {
    if (!fractions) return false;
    const zeros = whole === '0' ? (/^0*/.exec(fraction)?.[0].length ?? 0) : 0;
    const used = whole === '0' ? fraction.length - zeros : whole.length + fraction.length;
    const from = Number(`${whole}.${fraction || '0'}`);
    const to = Number(`${whole}.${fraction}${'9'.repeat(MAX_SIGNIFICANT - used)}`);
    if (from !== 0) return within(from, to, true);
    if (!negative && hasNumber(numbers, 0)) return true;
    return within(1e-6, to, true);
  }
  if (whole === '0') {
    if (!negative && hasNumber(numbers, 0)) return true;
    return fractions && within(1e-6, nextDown(1), true);
  }
  for (let zeros = 0; whole.length + zeros <= MAX_DIGITS; zeros++) {
    const from = Number(whole + '0'.repeat(zeros));
    const digits = whole.length + zeros;
    const inFractions = fractions && digits < MAX_SIGNIFICANT;
    const to = Number(
      whole + '9'.repeat(zeros) + (inFractions ? `.${'9'.repeat(MAX_SIGNIFICANT - digits)}` : ''),
    );
    if (within(from, to, inFractions)) return true;
  }
  return false;
}

/** Whether a number of the set lies from `from` to `to`; whole, unless `fractions`. */
function anyWithin(numbers: Numbers, from: number, to: number, fractions: boolean): boolean {
  const limit = limitOf(numbers);
  const low = Math.max(from, numbers.min, -limit);
  const high = Math.min(to, numbers.max, limit);
  if (low > high) return false;
  const isRange =
    numbers.multiples.length + numbers.notMultiples.length + numbers.except.size === 0 &&
    numbers.whole !== false;
  if (!fractions || numbers.whole === true) {
    const [first, last] = [Math.ceil(low), Math.floor(high)];
    if (first > last) return false;
    if (isRange) return true;
    const step = wholeStep(numbers.multiples);
    const start = Math.ceil(first / step) * step;
    for (let i = 0; i <= TRIES && start + i * step <= last; i++) {
      if (hasNumber(numbers, start + i * step)) return true;
    }
    return false;
  }
  if (isRange) return true;
  const [divisor] = numbers.multiples;
  if (divisor !== undefined) return anyMultiple(numbers, divisor, low, high);
  let candidate = low;
  for (let i = 0; i <= TRIES && candidate <= high; i++) {
    if (hasNumber(numbers, candidate)) return true;
    candidate = nextUp(candidate);
  }
  return hasNumber(numbers, high);
}

/** The least common multiple of the whole divisors among them. */
function wholeStep(divisors: readonly number[]): number {
  let step = 1;
  for (const divisor of divisors) {
    if (!Number.isSafeInteger(divisor)) continue;
    const both = (step / greatestCommonDivisor(step, divisor)) * divisor;
    if (Number.isSafeInteger(both)) step = both;
  }
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

function anyMultiple(numbers: Numbers, divisor: number, low: number, high: number): boolean {
  // In decimals: 7 × 0.01 is 0.07, which in doubles it is not.
  const [mantissa, scale = '0'] = String(divisor).split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  const digits = Number(whole + fraction);
  const exponent = Number(scale) - fraction.length;
  const first = Math.ceil(low / divisor) - 1;
  for (let i = 0; i <= TRIES; i++) {
    const exact = Number(`${(first + i) * digits}e${exponent}`);
    if (nextDown(exact) > high) return false;
    // Doubles beside it may count as multiples, it itself not.
    const near = [exact, nextUp(exact), nextDown(exact), (first + i) * divisor];
    if (near.some((value) => value >= low && value <= high && hasNumber(numbers, value)))
      return true;
  }
  return false;
}

function reachesWithExponent(numbers: Numbers, parts: Parts): boolean {
  if (!mayHaveExponent(numbers)) return false;
  const { whole, fraction = '' } = parts;
  if (whole.length > 1 || whole === '0') return false;
  if (fraction.endsWith('0') && whole.length + fraction.length >= MAX_SIGNIFICANT) return false;
  return exponents(numbers, parts).some((exponent) => reaches(numbers, parts, exponent));
}

/**
 * The exponents that a text may come to have, those that matter: where a number of the set has one
 * of the others, one has one of these.
 */
function exponents(numbers: Numbers, { sign, exponentSign = '', exponent = '' }: Parts): number[] {
  if (exponentSign === '' && exponent !== '') return []; // JSON.stringify writes `1e+21`
  const negative = sign === '-';
  // The set's numbers of this sign, by their size.
  const [least, most] = negative ? [-numbers.max, -numbers.min] : [numbers.min, numbers.max];
  const near = (size: number): number[] => {
    const scale = size > 0 ? Math.floor(Math.log10(size)) : -SMALL.to;
    return size === Infinity ? [LARGE.to] : [scale - 1, scale, scale + 1];
  };
  const isRange = numbers.notMultiples.length + numbers.except.size === 0;
  const candidates = isRange ? [] : ALL_EXPONENTS.slice();
  candidates.push(
    ...near(Math.max(0, least)),
    ...(most > 0 ? near(most) : []),
    ...[LARGE.from, LARGE.to, -SMALL.from, -SMALL.to],
  );
  if (exponent !== '') {
    const digits = exponent.length;
    for (let rest = 0; digits + rest <= 3; rest++) {
      const first = Number(exponent + '0'.repeat(rest));
      for (let i = 0; i < 10 ** rest; i++)
        candidates.push(exponentSign === '-' ? -first - i : first + i);
    }
  }
  return candidates.filter((e) => {
    if (e > 0 ? e < LARGE.from || e > LARGE.to : -e < SMALL.from || -e > SMALL.to) return false;
    if (exponentSign !== '' && exponentSign !== (e < 0 ? '-' : '+')) return false;
    return String(Math.abs(e)).startsWith(exponent);
  });
}

/** Whether a number of the set has this exponent and begins with these digits. */
function reaches(numbers: Numbers, parts: Parts, exponent: number): boolean {
  const { sign, whole, fraction, exponentSign } = parts;
  const isOpen = exponentSign === undefined;
  const digits = whole === '' ? '1' : whole;
  const from = Number(`${sign}${digits}.${fraction || '0'}e${exponent}`);
  const nines = '9'.repeat(MAX_SIGNIFICANT - 1 - (fraction?.length ?? 0));
  const to = isOpen
    ? Number(`${sign}${whole === '' ? '9' : whole}.${fraction ?? ''}${nines || '0'}e${exponent}`)
    : from;
  const scale = { ...parts, exponentSign: exponent < 0 ? '-' : '+' };
  const [low, high] = from <= to ? [from, to] : [to, from];
  const first = Math.max(low, numbers.min);
  const last = Math.min(high, numbers.max);
  if (first > last) return false;
  let candidate = first;
  for (let i = 0; i <= TRIES && candidate <= last; i++) {
    if (sameScale(candidate, scale) && hasNumber(numbers, candidate)) return true;
    candidate = nextUp(candidate);
  }
  return false;
}

/**
 * A text that may be continued as this one may, and of which there are few: digits that make no
 * difference to the set are all the same.
 */
export function shapeOf(numbers: Numbers, text: string): string {
  if (!isFree(numbers, text)) return text;
  const parts = partsOf(text);
  if (parts === undefined) return text;
  const { sign, whole, fraction } = parts;
  const digits = sign + (whole === '0' ? '0' : '1'.repeat(whole.length));
  if (fraction === undefined || fraction === '') return `${digits}${fraction === '' ? '.' : ''}`;
  const zeros = whole === '0' ? (/^0*/.exec(fraction)?.[0] ?? '') : '';
  if (zeros === fraction) return `${digits}.${zeros}`;
  // An exponent may not follow a nought.
  const rest =
    '1'.repeat(fraction.length - zeros.length - 1) + (fraction.endsWith('0') ? '0' : '1');
  return `${digits}.${zeros}${rest}`;
}

/** Whether whatever a text is completed to is in the set. */
function isFree(numbers: Numbers, text: string): boolean {
  const { min, max, multiples, notMultiples, except, whole, values } = numbers;
  if (multiples.length + notMultiples.length + except.size > 0) return false;
  if (whole === false || values !== undefined || text.includes('e')) return false;
  if (text === '' || text === '-') return min === -Infinity && max === Infinity;
  // From 1 on more digits lead away from nought; below it an exponent may lead to it.
  return text.startsWith('-') ? min === -Infinity && max >= 0 : max === Infinity && min <= 0;
}

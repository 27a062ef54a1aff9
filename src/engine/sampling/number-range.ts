/**
 * Numbers between bounds, as EBNF over their decimal digits. xgrammar 0.1.27 has such rules too, but
 * they let wrong numbers through and keep right ones out (0 to 150 takes 151, -3 and more takes no -2).
 */

export interface Bounds {
  /** Every bound is finite. */
  min?: number;
  max?: number;
  exclusiveMin?: boolean;
  exclusiveMax?: boolean;
}

/** The tighter of a schema's four keywords. */
export function boundsOf(schema: {
  minimum?: unknown;
  maximum?: unknown;
  exclusiveMinimum?: unknown;
  exclusiveMaximum?: unknown;
}): Bounds {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  const bounds: Bounds = {};
  if (typeof minimum === 'number') bounds.min = minimum;
  if (typeof maximum === 'number') bounds.max = maximum;
  if (typeof above === 'number' && above >= (bounds.min ?? -Infinity)) {
    Object.assign(bounds, { min: above, exclusiveMin: true });
  }
  if (typeof below === 'number' && below <= (bounds.max ?? Infinity)) {
    Object.assign(bounds, { max: below, exclusiveMax: true });
  }
  return bounds;
}

/** EBNF of the integers within bounds; undefined where there is none. */
export function integerRange(bounds: Bounds): string | undefined {
  const { min, max, exclusiveMin = false, exclusiveMax = false } = bounds;
  const low = min === undefined ? undefined : least(min, exclusiveMin);
  const high = max === undefined ? undefined : -least(-max, exclusiveMax);
  const parts: string[] = [];
  if (low === undefined || low < 0n) {
    const most = low === undefined ? undefined : -low;
    const negative = naturals(high === undefined || high > -1n ? 1n : -high, most);
    if (negative !== undefined) parts.push(`"-" (${negative})`);
  }
  const natural = naturals(low === undefined || low < 0n ? 0n : low, high);
  if (natural !== undefined) parts.push(natural);
  return parts.length === 0 ? undefined : parts.join(' | ');
}

/** EBNF of the decimal numbers within bounds, without exponents; undefined where there is none. */
export function decimalRange(bounds: Bounds): string | undefined {
  const { min = -Infinity, max = Infinity, exclusiveMin = false, exclusiveMax = false } = bounds;
  const parts: string[] = [];
  if (min < 0) {
    const from = max < 0 ? { at: -max, open: exclusiveMax } : { at: 0, open: true };
    const negative = magnitudes(from, { at: -min, open: exclusiveMin });
    if (negative !== undefined) parts.push(`"-" (${negative})`);
  }
  if (max >= 0) {
    const from = min >= 0 ? { at: min, open: exclusiveMin } : { at: 0, open: false };
    const positive = magnitudes(from, { at: max, open: exclusiveMax });
    if (positive !== undefined) parts.push(positive);
  }
  return parts.length === 0 ? undefined : parts.join(' | ');
}

/** The least integer at or above a bound. */
function least(bound: number, exclusive: boolean): bigint {
  const integer = BigInt(Math.ceil(bound));
  return exclusive && Number.isInteger(bound) ? integer + 1n : integer;
}

/** Natural numbers from `low` to `high` (no end where it is undefined), without leading zeros. */
function naturals(low: bigint, high: bigint | undefined): string | undefined {
  const parts: string[] = [];
  const first = String(low).length;
  const last = high === undefined ? first : String(high).length;
  if (high !== undefined && high < low) return undefined;
  for (let length = first; length <= last; length++) {
    const from = length === first ? String(low) : `1${'0'.repeat(length - 1)}`;
    const to = length === last && high !== undefined ? String(high) : '9'.repeat(length);
    parts.push(...sameLength(from, to));
  }
  if (high === undefined) parts.push(`[1-9] ${anyDigits(first)} [0-9]*`);
  return parts.join(' | ');
}

/** Digit strings from `from` to `to`, which have the same length. */
function sameLength(from: string, to: string): string[] {
  if (from === '') return [''];
  const [a, b] = [Number(from[0]), Number(to[0])];
  const rest = from.length - 1;
  const after = (digit: number, tails: string[]) => tails.map((tail) => join(`"${digit}"`, tail));
  if (a === b) return after(a, sameLength(from.slice(1), to.slice(1)));

  const wholeFrom = /^0*$/.test(from.slice(1));
  const wholeTo = /^9*$/.test(to.slice(1));
  const parts: string[] = [];
  if (!wholeFrom) parts.push(...after(a, sameLength(from.slice(1), '9'.repeat(rest))));
  const middle = digits(wholeFrom ? a : a + 1, wholeTo ? b : b - 1);
  if (middle !== undefined) parts.push(join(middle, anyDigits(rest)));
  if (!wholeTo) parts.push(...after(b, sameLength('0'.repeat(rest), to.slice(1))));
  return parts;
}

interface Bound {
  at: number;
  open: boolean;
}

/** Non-negative decimals from `from` to `to`, which may be infinite. */
function magnitudes(from: Bound, to: Bound): string | undefined {
  if (from.at > to.at) return undefined;
  const low = decimal(from.at);
  const parts: string[] = [];
  const add = (integers: string | undefined, fraction: string | undefined) => {
    if (integers !== undefined && fraction !== undefined) {
      parts.push(join(`(${integers})`, fraction));
    }
  };
  const anyFraction = fractionOf(atLeast('', false));
  if (to.at === Infinity) {
    add(`"${low.integer}"`, fractionOf(atLeast(low.fraction, from.open)));
    add(naturals(low.integer + 1n, undefined), anyFraction);
  } else {
    const high = decimal(to.at);
    if (low.integer === high.integer) {
      const tails = between(low.fraction, from.open, high.fraction, to.open);
      add(`"${low.integer}"`, fractionOf(tails));
    } else {
      add(`"${low.integer}"`, fractionOf(atLeast(low.fraction, from.open)));
      add(naturals(low.integer + 1n, high.integer - 1n), anyFraction);
      add(`"${high.integer}"`, fractionOf(atMost(high.fraction, to.open)));
    }
  }
  return parts.length === 0 ? undefined : parts.join(' | ');
}

/** The digits after a decimal point: perhaps none, or one of these. */
interface Tails {
  none: boolean;
  some: string[];
}

/** Fractions of `bound` and more; the bound has no zeros at its end. */
function atLeast(bound: string, open: boolean): Tails {
  if (bound === '') {
    return open ? { none: false, some: ['[0-9]* [1-9] [0-9]*'] } : { none: true, some: ['[0-9]+'] };
  }
  const digit = Number(bound[0]);
  return either(above(digit), follow(digit, atLeast(bound.slice(1), open)));
}

/** Fractions of `bound` and less. */
function atMost(bound: string, open: boolean): Tails {
  if (bound === '') return open ? { none: false, some: [] } : { none: true, some: ['"0"+'] };
  const digit = Number(bound[0]);
  const less = either(range(0, digit - 1), follow(digit, atMost(bound.slice(1), open)));
  return { none: true, some: less.some };
}

function between(low: string, lowOpen: boolean, high: string, highOpen: boolean): Tails {
  if (low === '' && high === '') {
    return lowOpen || highOpen ? { none: false, some: [] } : atMost('', false);
  }
  const [a, b] = [Number(low[0] ?? 0), Number(high[0] ?? 0)];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  const tails =
    a === b
      ? follow(a, between(lowRest, lowOpen, highRest, highOpen))
      : either(
          follow(a, atLeast(lowRest, lowOpen)),
          range(a + 1, b - 1),
          follow(b, atMost(highRest, highOpen)),
        );
  return low === '' && !lowOpen ? { none: true, some: tails.some } : tails;
}

function above(digit: number): Tails {
  return range(digit + 1, 9);
}

/** A digit in a range, and anything. */
function range(from: number, to: number): Tails {
  const first = digits(from, to);
  return { none: false, some: first === undefined ? [] : [`${first} [0-9]*`] };
}

function follow(digit: number, { none, some }: Tails): Tails {
  const first = `"${digit}"`;
  return {
    none: false,
    some: [...(none ? [first] : []), ...some.map((tail) => join(first, tail))],
  };
}

function either(...all: Tails[]): Tails {
  return { none: all.some((one) => one.none), some: all.flatMap((one) => one.some) };
}

/** What may stand after the integer part; undefined where nothing may, not even nothing. */
function fractionOf({ none, some }: Tails): string | undefined {
  if (some.length === 0) return none ? '' : undefined;
  return `("." (${some.join(' | ')}))${none ? '?' : ''}`;
}

function digits(from: number, to: number): string | undefined {
  if (from > to) return undefined;
  return from === to ? `"${from}"` : `[${from}-${to}]`;
}

function anyDigits(count: number): string {
  return count === 0 ? '' : `[0-9]{${count}}`;
}

function join(first: string, second: string): string {
  return second === '' ? first : `${first} ${second}`;
}

/** A non-negative number's digits, as JavaScript writes it but without an exponent. */
function decimal(value: number): { integer: bigint; fraction: string } {
  const [mantissa, exponent = '0'] = String(value).split('e');
  const [whole, part = ''] = mantissa.split('.');
  const shift = Number(exponent);
  const all = whole + part;
  const point = whole.length + shift;
  const padded =
    point < 1 ? '0'.repeat(1 - point) + all : all + '0'.repeat(Math.max(0, point - all.length));
  const at = Math.max(1, point);
  return { integer: BigInt(padded.slice(0, at)), fraction: padded.slice(at).replace(/0+$/, '') };
}

/**
 * A number that is worked with: a fraction of whole numbers as long as that is possible, so that nothing is
 * rounded on the way, and a float where it is not (roots, logarithms, angles).
 */
export type Value = Fraction | number;

export interface Fraction {
  /** In lowest terms; `below` is above 0. */
  above: bigint;
  below: bigint;
}

/** Longer whole numbers are beyond any float, and would make work without end. */
export const MAX_BITS = 2048;
/** Whole numbers of up to so many digits are written out. */
const MAX_DIGITS = 64;
/** Digits of what cannot be written out. */
const SIGNIFICANT = 15;

export const bitsOf = (n: bigint): number => 4 * n.toString(16).replace('-', '').length;

export const isFraction = (value: Value): value is Fraction => typeof value === 'object';
export const isWhole = (value: Value): value is Fraction => isFraction(value) && value.below === 1n;

/** `above / below`, exactly if it is not too long. `below` is not 0. */
export function fraction(above: bigint, below = 1n): Value {
  const sign = below < 0n ? -1n : 1n;
  if (bitsOf(above) > 2 * MAX_BITS || bitsOf(below) > 2 * MAX_BITS) return quotient(above, below);
  const common = gcd(above, below) * sign;
  const value = { above: above / common, below: below / common };
  const isLong = bitsOf(value.above) > MAX_BITS || bitsOf(value.below) > MAX_BITS;
  return isLong ? quotient(value.above, value.below) : value;
}

/** Of two whole numbers; never negative. */
export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** The float that is nearest, or nearly so. */
export function toNumber(value: Value): number {
  return isFraction(value) ? quotient(value.above, value.below) : value;
}

function quotient(above: bigint, below: bigint): number {
  if (above < 0n) return -quotient(-above, below);
  // 64 bits or so of it, the last one set where there are more, so that it is rounded once.
  const shift = bitsOf(above) - bitsOf(below) - 64;
  const [top, bottom] =
    shift < 0 ? [above << BigInt(-shift), below] : [above, below << BigInt(shift)];
  const digits = Number((top / bottom) | (top % bottom === 0n ? 0n : 1n));
  // In two steps: half of it alone is no float at either end.
  const half = Math.trunc(shift / 2);
  return digits * 2 ** half * 2 ** (shift - half);
}

/** A number written in decimals: `12`, `0.5`, `6.02e23`. */
export function decimal(text: string): Value {
  const [, whole = '', part = '', power = '0'] =
    /^(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const exponent = Number(power) - part.length;
  if (Math.abs(exponent) > MAX_BITS / 4) return Number(text);
  const digits = BigInt(whole + part);
  const scale = 10n ** BigInt(Math.abs(exponent));
  return exponent < 0 ? fraction(digits, scale) : fraction(digits * scale);
}

const both = (a: Value, b: Value): a is Fraction => isFraction(a) && isFraction(b);

export function add(a: Value, b: Value): Value {
  if (!both(a, b) || !isFraction(b)) return toNumber(a) + toNumber(b);
  return fraction(a.above * b.below + b.above * a.below, a.below * b.below);
}

export function negate(a: Value): Value {
  return isFraction(a) ? { above: -a.above, below: a.below } : -a;
}

export function multiply(a: Value, b: Value): Value {
  if (!both(a, b) || !isFraction(b)) return toNumber(a) * toNumber(b);
  return fraction(a.above * b.above, a.below * b.below);
}

export function divide(a: Value, b: Value): Value {
  if (toNumber(b) === 0) throw new Error('It divides by zero.');
  if (!both(a, b) || !isFraction(b)) return toNumber(a) / toNumber(b);
  return fraction(a.above * b.below, a.below * b.above);
}

/** The largest whole number that is not larger. */
export function floor(a: Value): Value {
  if (!isFraction(a))
    return Number.isSafeInteger(Math.floor(a)) ? whole(Math.floor(a)) : Math.floor(a);
  const quotient = a.above / a.below;
  return fraction(quotient * a.below > a.above ? quotient - 1n : quotient);
}

export const whole = (n: number): Value => fraction(BigInt(n));

/** What is left of `a` when `b` is taken off as often as goes; it has the sign of `b`. */
export function modulo(a: Value, b: Value): Value {
  return add(a, negate(multiply(b, floor(divide(a, b)))));
}

export function compare(a: Value, b: Value): number {
  if (!both(a, b) || !isFraction(b)) return toNumber(a) - toNumber(b);
  const difference = a.above * b.below - b.above * a.below;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function power(base: Value, exponent: Value): Value {
  if (isFraction(base) && isWhole(exponent)) {
    const times = exponent.above < 0n ? -exponent.above : exponent.above;
    const { above, below } = base;
    if (exponent.above < 0n && above === 0n) throw new Error('It divides by zero.');
    const bits = Math.max(bitsOf(above), bitsOf(below));
    const isTrivial = below === 1n && above >= -1n && above <= 1n;
    if (isTrivial)
      return fraction(
        times === 0n || above !== -1n ? (times === 0n ? 1n : above) : times % 2n === 0n ? 1n : -1n,
      );
    if (times * BigInt(bits) <= BigInt(2 * MAX_BITS)) {
      return exponent.above < 0n
        ? fraction(below ** times, above ** times)
        : fraction(above ** times, below ** times);
    }
  }
  const value = toNumber(base) ** toNumber(exponent);
  if (value === 0 && toNumber(base) !== 0) throw new Error('It is too small.');
  return value;
}

/** Throws where a float is none, or says nothing of what is left of a number. */
export function finite(value: Value): Value {
  const nearest = toNumber(value);
  if (!Number.isFinite(nearest)) throw new Error('It has no finite value.');
  if (isFraction(value) && value.above !== 0n && nearest === 0) throw new Error('It is too small.');
  return value;
}

/**
 * The value as JSON has it: a number where that says it exactly, its digits as a text where only they do,
 * and 15 digits of what goes on for ever. Throws where there is no finite value.
 */
export function toJson(value: Value): number | string {
  const nearest = toNumber(finite(value));
  if (!isFraction(value)) {
    return Number.isSafeInteger(nearest) ? nearest : Number(nearest.toPrecision(SIGNIFICANT));
  }
  const written = decimal(Math.abs(nearest).toString());
  if (compare(nearest < 0 ? negate(written) : written, value) === 0) return nearest;
  return writtenOut(value) ?? Number(nearest.toPrecision(SIGNIFICANT));
}

/** All digits of a decimal fraction that ends; undefined where it does not, or is too long. */
function writtenOut({ above, below }: Fraction): string | undefined {
  let places = 0;
  let scale = 1n;
  for (; scale % below !== 0n; scale *= 10n) if (++places > MAX_DIGITS) return undefined;
  const sign = above < 0n ? '-' : '';
  const digits = `${(above < 0n ? -above : above) * (scale / below)}`.padStart(places + 1, '0');
  if (digits.length > MAX_DIGITS) return undefined;
  const point = digits.length - places;
  return sign + digits.slice(0, point) + (places > 0 ? `.${digits.slice(point)}` : '');
}

/** A set of numbers: of JSON's, which are finite doubles. */
export interface Numbers {
  /** Both included; Infinity where there is no bound. */
  readonly min: number;
  readonly max: number;
  /** True: whole numbers only. False: no whole numbers. */
  readonly whole: boolean | undefined;
  /** Multiples of each of these. */
  readonly multiples: readonly number[];
  /** Multiples of none of these. */
  readonly notMultiples: readonly number[];
  /** None of these. */
  readonly except: ReadonlySet<number>;
  /** Only these, if given. */
  readonly values: readonly number[] | undefined;
}

const NONE: ReadonlySet<number> = new Set();

export const ALL_NUMBERS: Numbers = {
  min: -Infinity,
  max: Infinity,
  whole: undefined,
  multiples: [],
  notMultiples: [],
  except: NONE,
  values: undefined,
};

export function isAllNumbers(numbers: Numbers): boolean {
  const { min, max, whole, multiples, notMultiples, except, values } = numbers;
  return (
    min === -Infinity &&
    max === Infinity &&
    whole === undefined &&
    multiples.length + notMultiples.length + except.size === 0 &&
    values === undefined
  );
}

export function hasNumber(numbers: Numbers, value: number): boolean {
  return (
    value >= numbers.min &&
    value <= numbers.max &&
    (numbers.whole === undefined || Number.isInteger(value) === numbers.whole) &&
    numbers.multiples.every((divisor) => isMultiple(value, divisor)) &&
    !numbers.notMultiples.some((divisor) => isMultiple(value, divisor)) &&
    !numbers.except.has(value) &&
    (numbers.values?.includes(value) ?? true)
  );
}

/** As validators reckon it: in doubles, where 0.3 is no multiple of 0.1. */
function isMultiple(value: number, divisor: number): boolean {
  const quotient = value / divisor;
  return Number.isInteger(quotient) && Math.abs(quotient) < 1e21;
}

export function intersectNumbers(a: Numbers, b: Numbers): Numbers {
  if (a === b || isAllNumbers(b)) return a;
  if (isAllNumbers(a)) return b;
  const both: Numbers = {
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    whole: a.whole ?? b.whole,
    multiples: [...new Set([...a.multiples, ...b.multiples])],
    notMultiples: [...new Set([...a.notMultiples, ...b.notMultiples])],
    except: new Set([...a.except, ...b.except]),
    values: a.values ?? b.values,
  };
  if (a.whole !== undefined && b.whole !== undefined && a.whole !== b.whole) {
    return { ...both, values: [] };
  }
  if (both.values === undefined) return both;
  return {
    ...ALL_NUMBERS,
    values: both.values.filter((one) => hasNumber(a, one) && hasNumber(b, one)),
  };
}

/** What is not in a set, as sets that may overlap. */
export function complementNumbers(numbers: Numbers): Numbers[] {
  const { min, max, whole, multiples, notMultiples, except, values } = numbers;
  if (values !== undefined) return [{ ...ALL_NUMBERS, except: new Set(values) }];
  const rest: Numbers[] = [];
  if (min > -Infinity) rest.push({ ...ALL_NUMBERS, max: nextDown(min) });
  if (max < Infinity) rest.push({ ...ALL_NUMBERS, min: nextUp(max) });
  if (whole !== undefined) rest.push({ ...ALL_NUMBERS, whole: !whole });
  for (const divisor of multiples) rest.push({ ...ALL_NUMBERS, notMultiples: [divisor] });
  for (const divisor of notMultiples) rest.push({ ...ALL_NUMBERS, multiples: [divisor] });
  if (except.size > 0) rest.push({ ...ALL_NUMBERS, values: [...except] });
  return rest;
}

const bits = new DataView(new ArrayBuffer(8));

/** The next double. */
export function nextUp(value: number): number {
  if (!(value < Infinity)) return value;
  if (value === 0) return Number.MIN_VALUE;
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

export function nextDown(value: number): number {
  return -nextUp(-value);
}

/**
 * How the values of a request are read: each kind of field has a reader, and the readers of an
 * object's fields make a table. Callers need not be TypeScript, so nothing is taken for granted.
 */
import type { Range } from '../../engine/sampling/check';
import { shown, TempoError } from '../../scheduler';

/** One request that is being read. */
export interface Reading {
  /** The model that is to answer. */
  readonly model: string;
  /** It takes images. */
  readonly images?: boolean;
  /** A sentence for each field that was given and is ignored; the same for every request. */
  readonly warnings: Set<string>;
}

/**
 * Takes a value for what it is to be, or throws a typed error that names the field, `at`. What is read
 * as undefined is as if it had not been given.
 */
export type Reader<T> = (value: unknown, at: string, reading: Reading) => T;

/** Reads what nothing is ignored in. */
export function alone<T>(reader: Reader<T>, value: unknown, at = ''): T {
  return reader(value, at, { model: '', warnings: new Set() });
}

type Table = Readonly<Record<string, Reader<unknown>>>;

/** What an object's fields were read as. */
export type Fields<T extends Table, Required extends keyof T = never> = {
  [K in Exclude<keyof T, Required>]?: Exclude<ReturnType<T[K]>, undefined>;
} & { [K in Required]: ReturnType<T[K]> };

/**
 * An object with these fields and no others. `null` means "not set", as if the field were not there;
 * the `required` ones have to be.
 */
export function object<T extends Table, Required extends string & keyof T = never>(
  table: T,
  required: readonly Required[] = [],
): Reader<Fields<T, Required>> {
  return (value, at, reading) => {
    expect(isRecord(value), at, `${at || 'what is passed'} must be an object`, value);
    const given = Object.keys(value).filter((name) => (value[name] ?? null) !== null);
    // First, because a field that is missing is often one that was misspelt.
    const unknown = given.find((name) => !Object.hasOwn(table, name));
    if (unknown !== undefined) throw unknownField(pathOf(at, unknown));
    const read: Record<string, unknown> = {};
    for (const name of given) {
      const taken = table[name](value[name], pathOf(at, name), reading);
      if (taken !== undefined) read[name] = taken;
    }
    for (const name of required) {
      const missing = value[name] === undefined || value[name] === null;
      expect(!missing, pathOf(at, name), `${pathOf(at, name)} must be given`, value[name]);
    }
    return read as Fields<T, Required>;
  };
}

export function list<T>(of: Reader<T>, max = Number.MAX_SAFE_INTEGER): Reader<T[]> {
  return (value, at, reading) => {
    const words = max < Number.MAX_SAFE_INTEGER ? ` of at most ${max}` : '';
    expect(Array.isArray(value) && value.length <= max, at, `${at} must be a list${words}`, value);
    return Array.from(value, (item, i) => of(item, `${at}[${i}]`, reading));
  };
}

export const text: Reader<string> = (value, at) => {
  expect(typeof value === 'string', at, `${at} must be a string`, value);
  return value;
};

export const flag: Reader<boolean> = (value, at) => {
  expect(typeof value === 'boolean', at, `${at} must be true or false`, value);
  return value;
};

export const record: Reader<Record<string, unknown>> = (value, at) => {
  expect(isRecord(value), at, `${at} must be an object`, value);
  return value;
};

/** `words` say what it must be: `between 0 and 2`. */
export function number(words: string, isSane: (value: number) => boolean): Reader<number> {
  return (value, at) => {
    const holds = typeof value === 'number' && Number.isFinite(value) && isSane(value);
    expect(holds, at, `${at} must be ${words}`, value);
    return value;
  };
}

/** A number of a range. */
export const inRange = ({ words, holds }: Range) => number(words, holds);

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): Reader<number> {
  const words =
    most < Number.MAX_SAFE_INTEGER ? `a whole number from ${least} to ${most}` : undefined;
  return number(
    words ?? `a whole number of at least ${least}`,
    (n) => Number.isInteger(n) && n >= least && n <= most,
  );
}

export function oneOf<const T extends string>(...choices: readonly T[]): Reader<T> {
  return (value, at) => {
    const found = choices.find((choice) => choice === value);
    expect(found !== undefined, at, `${at} must be one of ${choices.join(', ')}`, value);
    return found;
  };
}

const MAX_LABEL = 64;

/** Half of a character: no text can be made of it. */
const HALF = /\p{Surrogate}/u;

/** The name of an app, a stage, a kind of program. */
export const label: Reader<string> = (value, at) => {
  const holds =
    typeof value === 'string' && value !== '' && value.length <= MAX_LABEL && !HALF.test(value);
  expect(holds, at, `${at} must be a name of 1 to ${MAX_LABEL} whole characters`, value);
  return value;
};

/** A field that is known and left aside, with a warning unless the value asks for nothing. */
export function ignored(
  because: string,
  asksForNothing: (value: unknown) => boolean = () => false,
): Reader<undefined> {
  return (value, at, { warnings }) => {
    // The same sentence for every message and every tool.
    const name = at.replaceAll(/\[\d+\]/g, '[]');
    if (!asksForNothing(value)) warnings.add(`${name} is ignored: ${because}.`);
    return undefined;
  };
}

/** A field of an answer that comes back in the next request, and means nothing there. */
export const leftOut: Reader<undefined> = () => undefined;

/** A field without which the answer would not be what was asked for. */
export function refused(
  sentence: string,
  asksForNothing: (value: unknown) => boolean = () => false,
): Reader<undefined> {
  return (value, at) => {
    if (asksForNothing(value)) return undefined;
    throw new TempoError('invalid_request', `${at} is not supported: ${sentence}`, { param: at });
  };
}

/** Throws `invalid_request` with the sentence, the value, and the field's name. */
export function expect(
  holds: boolean,
  param: string,
  sentence: string,
  got: unknown,
): asserts holds {
  if (holds) return;
  throw new TempoError('invalid_request', `${sentence}; got ${shown(got)}.`, {
    param: param || undefined,
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownField(path: string): TempoError {
  return new TempoError(
    'invalid_request',
    `There is no field "${path}". Check its spelling, or leave it out.`,
    { param: path },
  );
}

function pathOf(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

import type { Pace } from '../pace';
import { isPrefix } from './number-text';
import { ALL_NUMBERS, intersectNumbers, type Numbers } from './numbers';
import { ALL_TEXTS, intersectTexts, isEmptyTexts, type Texts } from './texts';

/** A schema that must hold (its place's id, doubled) or must not (one more). */
export type Literal = number;

/** What no value satisfies: that `true` does not hold. */
export const NEVER: Literal = 1;
/** What every value satisfies. */
export const ALWAYS: Literal = 0;

export const negated = (literal: Literal): Literal => literal ^ 1;
export const isNegative = (literal: Literal): boolean => (literal & 1) === 1;
export const placeIdOf = (literal: Literal): number => literal >> 1;

/** The kinds of values, as bits. */
export const NULL = 1;
export const TRUE = 2;
export const FALSE = 4;
export const NUMBER = 8;
export const STRING = 16;
export const ARRAY = 32;
export const OBJECT = 64;
export const ALL_TYPES = 127;

/** How many items, or properties, satisfy something. */
export interface Count {
  readonly literals: readonly Literal[];
  readonly min: number;
  readonly max: number;
  /** Items before this index do not count. */
  readonly from: number;
}

export interface ArrayRules {
  /** What each of the first items satisfies. */
  readonly prefix: readonly (readonly Literal[])[];
  /** What all items from an index on satisfy. */
  readonly rest: readonly { readonly from: number; readonly literals: readonly Literal[] }[];
  readonly min: number;
  readonly max: number;
  readonly counts: readonly Count[];
  readonly unique: boolean;
  /** For unevaluatedItems: the items that have been looked at are those before this index. */
  readonly evaluated: number;
  /** Also by `contains`, which is not followed. */
  readonly contains: boolean;
}

/** Names by a pattern. */
export interface NamePattern {
  readonly source: string;
  readonly texts: Texts;
}

/** What the properties satisfy whose names are none of these and match none of these patterns. */
export interface Others {
  readonly names: ReadonlySet<string>;
  readonly patterns: readonly NamePattern[];
  readonly literals: readonly Literal[];
}

/** At least one property whose name is one of `others`' (and as `names` says) has such a value. */
export interface Some {
  readonly others: Omit<Others, 'literals'>;
  readonly pattern: NamePattern | undefined;
  readonly names: readonly Literal[];
  readonly literals: readonly Literal[];
}

export interface ObjectRules {
  /** In the order in which they are written. */
  readonly properties: ReadonlyMap<string, readonly Literal[]>;
  readonly patterns: readonly {
    readonly pattern: NamePattern;
    readonly literals: readonly Literal[];
  }[];
  readonly others: readonly Others[];
  /** What names, as strings, satisfy. */
  readonly names: readonly Literal[];
  readonly required: ReadonlySet<string>;
  readonly min: number;
  readonly max: number;
  readonly some: readonly Some[];
  /** For unevaluatedProperties: which have been looked at. */
  readonly evaluated: Evaluated;
}

export interface Evaluated {
  readonly names: ReadonlySet<string>;
  readonly patterns: readonly NamePattern[];
  readonly all: boolean;
}

/** What a value satisfies: its type is one of `types`, and what is said of that type holds. */
export interface Rules {
  readonly types: number;
  readonly numbers: Numbers;
  readonly texts: Texts;
  readonly array: ArrayRules;
  readonly object: ObjectRules;
}

export const ANY_ARRAY: ArrayRules = {
  prefix: [],
  rest: [],
  min: 0,
  max: Infinity,
  counts: [],
  unique: false,
  evaluated: 0,
  contains: false,
};

export const NOTHING_EVALUATED: Evaluated = { names: new Set(), patterns: [], all: false };

export const ANY_OBJECT: ObjectRules = {
  properties: new Map(),
  patterns: [],
  others: [],
  names: [],
  required: new Set(),
  min: 0,
  max: Infinity,
  some: [],
  evaluated: NOTHING_EVALUATED,
};

export const ANY_VALUE: Rules = {
  types: ALL_TYPES,
  numbers: ALL_NUMBERS,
  texts: ALL_TEXTS,
  array: ANY_ARRAY,
  object: ANY_OBJECT,
};

/** Both, or undefined where no value satisfies both. */
export async function bothRules(a: Rules, b: Rules, pace: Pace): Promise<Rules | undefined> {
  if (a === ANY_VALUE) return b;
  if (b === ANY_VALUE) return a;
  let types = a.types & b.types;
  const numbers = types & NUMBER ? intersectNumbers(a.numbers, b.numbers) : ALL_NUMBERS;
  if (numbers !== a.numbers && numbers !== b.numbers && !isPrefix(numbers, '')) types &= ~NUMBER;
  const texts = types & STRING ? await intersectTexts(a.texts, b.texts, pace) : ALL_TEXTS;
  if (texts !== a.texts && texts !== b.texts && isEmptyTexts(texts)) types &= ~STRING;
  const array = types & ARRAY ? bothArrays(a.array, b.array, pace) : ANY_ARRAY;
  if (array.min > array.max) types &= ~ARRAY;
  const object = types & OBJECT ? bothObjects(a.object, b.object, pace) : ANY_OBJECT;
  if (object.min > object.max || object.required.size > object.max) types &= ~OBJECT;
  return types === 0 ? undefined : { types, numbers, texts, array, object };
}

function bothArrays(a: ArrayRules, b: ArrayRules, pace: Pace): ArrayRules {
  if (a === ANY_ARRAY || a === b) return b;
  if (b === ANY_ARRAY) return a;
  const length = Math.max(a.prefix.length, b.prefix.length);
  pace.spend(length + 1);
  return {
    prefix: Array.from({ length }, (_, i) => both(a.prefix[i] ?? [], b.prefix[i] ?? [])),
    rest: [...a.rest, ...b.rest],
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    counts: [...a.counts, ...b.counts],
    unique: a.unique || b.unique,
    evaluated: Math.max(a.evaluated, b.evaluated),
    contains: a.contains || b.contains,
  };
}

function bothObjects(a: ObjectRules, b: ObjectRules, pace: Pace): ObjectRules {
  if (a === ANY_OBJECT || a === b) return b;
  if (b === ANY_OBJECT) return a;
  pace.spend(a.properties.size + b.properties.size + b.required.size + 1);
  const properties = new Map(a.properties);
  for (const [name, literals] of b.properties) {
    properties.set(name, both(properties.get(name) ?? [], literals));
  }
  return {
    properties,
    patterns: [...a.patterns, ...b.patterns],
    others: [...a.others, ...b.others],
    names: both(a.names, b.names),
    required: union(a.required, b.required),
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    some: [...a.some, ...b.some],
    evaluated: bothEvaluated(a.evaluated, b.evaluated),
  };
}

function bothEvaluated(a: Evaluated, b: Evaluated): Evaluated {
  if (a === NOTHING_EVALUATED || a === b) return b;
  if (b === NOTHING_EVALUATED) return a;
  return {
    names: union(a.names, b.names),
    patterns: [...a.patterns, ...b.patterns],
    all: a.all || b.all,
  };
}

function both(a: readonly Literal[], b: readonly Literal[]): readonly Literal[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return [...new Set([...a, ...b])];
}

function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  if (b.size === 0) return a;
  return a.size === 0 ? b : new Set([...a, ...b]);
}

/** Whether a literal is among some that ascend. */
export function hasLiteral(literals: readonly Literal[], literal: Literal): boolean {
  return literals.includes(literal);
}

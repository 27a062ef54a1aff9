import { formatLanguage, formatOf } from '../language/formats';
import { patternLanguage } from '../language/languages';
import { BadPattern } from '../language/pattern';
import { TooComplex } from '../language/too-complex';
import type { Pace } from '../pace';
import type { Place, SchemaDocument } from './document';
import { invalid } from './invalid-schema';
import { countOf, keysOf, listOf, namesOf, numberOf, says, textOf } from './keywords';
import { isPrefix } from './number-text';
import { ALL_NUMBERS, intersectNumbers, type Numbers, nextDown, nextUp } from './numbers';
import {
  ALL_TYPES,
  ALWAYS,
  ANY_ARRAY,
  ANY_OBJECT,
  ANY_VALUE,
  ARRAY,
  type ArrayRules,
  bothRules,
  FALSE,
  type Literal,
  type NamePattern,
  NEVER,
  NULL,
  NUMBER,
  OBJECT,
  type ObjectRules,
  type Rules,
  STRING,
  TRUE,
} from './rules';
import {
  ALL_TEXTS,
  intersectTexts,
  isEmptyTexts,
  language,
  prepared,
  type Texts,
  words,
} from './texts';

const TYPES: Readonly<Record<string, number>> = {
  null: NULL,
  boolean: TRUE | FALSE,
  integer: NUMBER,
  number: NUMBER,
  string: STRING,
  array: ARRAY,
  object: OBJECT,
};

/**
 * What the schemas of a document say by the keywords that come to one set of rules: not those that
 * give a choice. Each is read once. Everything here throws invalid_schema with the path of a value
 * that is not what its keyword needs.
 */
export class Statements {
  readonly #document: SchemaDocument;
  readonly #pace: Pace;
  readonly #read = new Map<Place, Promise<Rules | undefined>>();
  readonly #patterns = new Map<string, Promise<Texts>>();

  constructor(document: SchemaDocument, pace: Pace) {
    this.#document = document;
    this.#pace = pace;
  }

  /** What a schema's own keywords say; undefined where that is a contradiction. */
  of(place: Place): Promise<Rules | undefined> {
    const known = this.#read.get(place) ?? this.#rulesOf(place);
    this.#read.set(place, known);
    return known;
  }

  /** The literal of a part. */
  literal(place: Place, keyword: string, key?: string | number): Literal {
    return literalOf(this.#document.within(place, keyword, key));
  }

  /** That a value equals this one, which stands at a place. */
  constant(place: Place, path: string, value: unknown): Literal {
    return literalOf(this.#document.at({ const: value }, path, place.resource));
  }

  async #rulesOf(place: Place): Promise<Rules | undefined> {
    this.#pace.spend(4);
    const types = typesOf(place);
    let numbers = numbersOf(place);
    if (types.whole) numbers = intersectNumbers(numbers, { ...ALL_NUMBERS, whole: true });
    let rules: Rules | undefined = possible({
      types: types.bits,
      numbers,
      texts: await this.textsOf(place),
      array: types.bits & ARRAY ? this.#arrayOf(place) : ANY_ARRAY,
      object: types.bits & OBJECT ? await this.#objectOf(place) : ANY_OBJECT,
    });
    if (rules !== undefined && says(place, 'const')) {
      const only = this.#equalTo(place, `${place.path}.const`, place.schema.const);
      rules = await bothRules(rules, only, this.#pace);
    }
    if (rules !== undefined && says(place, 'enum')) {
      const { scalars, structures } = parted(listOf(place, 'enum'));
      // Objects and lists among the values make a choice of it.
      if (structures.length === 0) rules = await bothRules(rules, scalarRules(scalars), this.#pace);
    }
    return rules;
  }

  #equalTo(place: Place, path: string, value: unknown): Rules {
    if (typeof value !== 'object' || value === null) return scalarRules([value]);
    if (Array.isArray(value)) {
      this.#pace.spend(value.length);
      const prefix = value.map((item, i) => [this.constant(place, `${path}[${i}]`, item)]);
      const array = { ...ANY_ARRAY, prefix, min: value.length, max: value.length };
      return { ...ANY_VALUE, types: ARRAY, array };
    }
    const entries = Object.entries(value);
    this.#pace.spend(entries.length);
    const names = new Set(entries.map(([name]) => name));
    const object: ObjectRules = {
      ...ANY_OBJECT,
      properties: new Map(
        entries.map(([name, part]) => [name, [this.constant(place, `${path}.${name}`, part)]]),
      ),
      required: names,
      others: [{ names, patterns: [], literals: [NEVER] }],
    };
    return { ...ANY_VALUE, types: OBJECT, object };
  }

  /** What a schema says of strings. */
  async textsOf(place: Place): Promise<Texts> {
    const min = countOf(place, 'minLength') ?? 0;
    const max = countOf(place, 'maxLength') ?? Infinity;
    let texts: Texts = min === 0 && max === Infinity ? ALL_TEXTS : { ...ALL_TEXTS, min, max };
    const pattern = textOf(place, 'pattern');
    if (pattern !== undefined) {
      const found = await this.pattern(pattern, `${place.path}.pattern`);
      texts = await intersectTexts(texts, found, this.#pace);
    }
    const name = textOf(place, 'format');
    if (name === 'regex') {
      invalid(`${place.path}.format`, 'cannot be "regex": output cannot be held to it');
    }
    const format = name === undefined ? undefined : formatOf(name);
    if (format !== undefined) {
      const formatted = language(await formatLanguage(format), 0, format.maxLength);
      texts = await intersectTexts(texts, formatted, this.#pace);
    }
    return texts;
  }

  /** The texts that a pattern is found in. */
  async pattern(source: string, path: string): Promise<Texts> {
    const known = this.#patterns.get(source) ?? this.#languageOf(source, path);
    this.#patterns.set(source, known);
    return known;
  }

  async #languageOf(source: string, path: string): Promise<Texts> {
    try {
      return await prepared(language(await patternLanguage(source, this.#pace)), this.#pace);
    } catch (error) {
      if (!(error instanceof BadPattern || error instanceof TooComplex)) throw error;
      return invalid(path, `cannot be followed: the pattern ${error.message}`, error);
    }
  }

  #arrayOf(place: Place): ArrayRules {
    const { schema } = place;
    const isOldTuple = Array.isArray(schema.items);
    const tuple = isOldTuple ? 'items' : 'prefixItems';
    const prefix = says(place, tuple)
      ? Array.from({ length: listLength(place, tuple) }, (_, i) =>
          some(this.literal(place, tuple, i)),
        )
      : [];
    const restKeyword = isOldTuple ? 'additionalItems' : 'items';
    const rest = says(place, restKeyword) ? this.literal(place, restKeyword) : ALWAYS;
    this.#pace.spend(prefix.length);
    const min = countOf(place, 'minItems') ?? 0;
    const max = countOf(place, 'maxItems') ?? Infinity;
    const unique = schema.uniqueItems ?? false;
    if (typeof unique !== 'boolean') invalid(`${place.path}.uniqueItems`, 'must be true or false');
    const least = countOf(place, 'minContains') ?? 1;
    const most = countOf(place, 'maxContains') ?? Infinity;
    const kinds = says(place, 'contains') ? [this.literal(place, 'contains')] : [];
    const counts =
      least > 0 || most < Infinity
        ? kinds.map((kind) => ({ literals: some(kind), min: least, max: most, from: 0 }))
        : [];
    const isBounded = min > 0 || max < Infinity || unique;
    if (prefix.length + kinds.length === 0 && !isBounded && !says(place, restKeyword)) {
      return ANY_ARRAY;
    }
    return {
      prefix,
      rest: rest === ALWAYS ? [] : [{ from: prefix.length, literals: [rest] }],
      min,
      max: rest === NEVER ? Math.min(max, prefix.length) : max,
      counts,
      unique: unique === true,
      evaluated: says(place, restKeyword) ? Infinity : prefix.length,
      contains: kinds.length > 0,
    };
  }

  async #objectOf(place: Place): Promise<ObjectRules> {
    const names = keysOf(place, 'properties');
    const patterns: { pattern: NamePattern; literals: Literal[] }[] = [];
    for (const source of keysOf(place, 'patternProperties')) {
      const path = `${place.path}.patternProperties.${source}`;
      const pattern = { source, texts: await this.pattern(source, path) };
      patterns.push({ pattern, literals: some(this.literal(place, 'patternProperties', source)) });
    }
    const required = namesOf(place, 'required');
    const min = countOf(place, 'minProperties') ?? 0;
    const max = countOf(place, 'maxProperties') ?? Infinity;
    const isOpen = !says(place, 'additionalProperties');
    const rest = isOpen ? ALWAYS : this.literal(place, 'additionalProperties');
    this.#pace.spend(names.length + required.length);
    const nameRules = says(place, 'propertyNames')
      ? some(this.literal(place, 'propertyNames'))
      : [];
    const isPlain = isOpen && names.length + patterns.length + required.length === 0;
    if (isPlain && nameRules.length === 0 && min === 0 && max === Infinity) return ANY_OBJECT;
    const namedByPattern = patterns.map(({ pattern }) => pattern);
    const others = { names: new Set(names), patterns: namedByPattern, literals: [rest] };
    return {
      properties: new Map(
        names.map((name) => [name, some(this.literal(place, 'properties', name))]),
      ),
      patterns,
      others: rest === ALWAYS ? [] : [others],
      names: nameRules,
      required: new Set(required),
      min,
      max,
      some: [],
      evaluated: { names: others.names, patterns: namedByPattern, all: !isOpen },
    };
  }
}

export function literalOf(place: Place | boolean): Literal {
  if (typeof place === 'boolean') return place ? ALWAYS : NEVER;
  return Object.keys(place.schema).length === 0 ? ALWAYS : place.id * 2;
}

function some(literal: Literal): Literal[] {
  return literal === ALWAYS ? [] : [literal];
}

function listLength(place: Place, keyword: string): number {
  const value = place.schema[keyword];
  if (!Array.isArray(value))
    return invalid(`${place.path}.${keyword}`, 'must be a list of schemas');
  return value.length;
}

/** The rules without the types whose values they rule out; undefined where none is left. */
function possible(rules: Rules): Rules | undefined {
  let { types } = rules;
  if (types & NUMBER && !isPrefix(rules.numbers, '')) types &= ~NUMBER;
  if (types & STRING && isEmptyTexts(rules.texts)) types &= ~STRING;
  if (rules.array.min > rules.array.max) types &= ~ARRAY;
  if (rules.object.min > rules.object.max) types &= ~OBJECT;
  if (types === 0) return undefined;
  const { numbers, texts, array, object } = rules;
  const isSilent =
    numbers === ALL_NUMBERS && texts === ALL_TEXTS && array === ANY_ARRAY && object === ANY_OBJECT;
  return types === ALL_TYPES && isSilent ? ANY_VALUE : { ...rules, types };
}

/** What `type` names, and whether numbers must be whole. */
export function typesOf(place: Place): { bits: number; whole: boolean } {
  if (!says(place, 'type')) return { bits: ALL_TYPES, whole: false };
  const { type } = place.schema;
  const names: readonly unknown[] = Array.isArray(type) ? type : [type];
  if (names.length === 0) invalid(`${place.path}.type`, 'must name a type');
  let bits = 0;
  names.forEach((name, i) => {
    if (typeof name === 'string' && Object.hasOwn(TYPES, name)) {
      bits |= TYPES[name];
    } else {
      const path = Array.isArray(type) ? `${place.path}.type[${i}]` : `${place.path}.type`;
      invalid(path, `is not a type; the types are ${Object.keys(TYPES).join(', ')}`);
    }
  });
  return { bits, whole: names.includes('integer') && !names.includes('number') };
}

/** What a schema says of numbers, `type` left aside. */
export function numbersOf(place: Place): Numbers {
  const { exclusiveMinimum, exclusiveMaximum, format } = place.schema;
  // In draft 4 these are flags.
  const bound = (keyword: string, isExclusive: boolean, next: (value: number) => number) => {
    const value = numberOf(place, keyword);
    if (value === undefined) return undefined;
    // Beyond 2^53 it was rounded when the schema was read, and may be on the wrong side of itself.
    return isExclusive || Math.abs(value) > Number.MAX_SAFE_INTEGER + 1 ? next(value) : value;
  };
  const flag = (value: unknown) => typeof value === 'boolean';
  let min = bound('minimum', exclusiveMinimum === true, nextUp) ?? -Infinity;
  let max = bound('maximum', exclusiveMaximum === true, nextDown) ?? Infinity;
  if (!flag(exclusiveMinimum)) min = Math.max(min, bound('exclusiveMinimum', true, nextUp) ?? min);
  if (!flag(exclusiveMaximum))
    max = Math.min(max, bound('exclusiveMaximum', true, nextDown) ?? max);
  const divisor = numberOf(place, 'multipleOf');
  if (divisor !== undefined && divisor <= 0) invalid(`${place.path}.multipleOf`, 'must be above 0');
  const isInt32 = format === 'int32';
  const whole = isInt32 || format === 'int64' ? true : undefined;
  if (isInt32) {
    min = Math.max(min, -(2 ** 31));
    max = Math.min(max, 2 ** 31 - 1);
  }
  if (min === -Infinity && max === Infinity && divisor === undefined && !whole) return ALL_NUMBERS;
  return { ...ALL_NUMBERS, min, max, whole, multiples: divisor === undefined ? [] : [divisor] };
}

/** Values with nothing in them, and the others. */
export function parted(values: readonly unknown[]): { scalars: unknown[]; structures: number[] } {
  const scalars: unknown[] = [];
  const structures: number[] = [];
  values.forEach((value, i) => {
    if (typeof value === 'object' && value !== null) structures.push(i);
    else scalars.push(value);
  });
  return { scalars, structures };
}

/** That a value is one of these. */
export function scalarRules(values: readonly unknown[]): Rules {
  let types = 0;
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const value of values) {
    if (value === null) types |= NULL;
    else if (value === true) types |= TRUE;
    else if (value === false) types |= FALSE;
    else if (typeof value === 'number') numbers.push(value === 0 ? 0 : value);
    else if (typeof value === 'string') texts.push(value);
  }
  const written = words(texts);
  if (numbers.length > 0) types |= NUMBER;
  if (written.words.length > 0) types |= STRING;
  return {
    ...ANY_VALUE,
    types,
    numbers: { ...ALL_NUMBERS, values: [...new Set(numbers)] },
    texts: written,
  };
}

/** Values that satisfy a JSON schema and mean nothing, for the simulated engine's answers. */
import { type Random, seededRandom, TempoError } from '../../scheduler';
import { boundsOf } from '../sampling/number-range';
import { madeUpFormat, madeUpMatch, madeUpWords } from './made-up-text';

type Schema = Record<string, unknown>;

/** Deeper than this, a value is as small as its schema allows. */
const PLENTY_UNTIL = 3;
const MAX_DEPTH = 40;
/** Values that are tried for one schema. */
const MAX_TRIES = 20_000;
/** Numbers without a bound are so far from the other at most. */
const REACH = 100;

/** No value is to be found on this way. */
class DeadEnd extends Error {}

/**
 * A value that satisfies `schema`, one of those that output can be held to (`checkJsonSchema`); the same
 * for the same seed. Throws `unsupported` where none is found.
 */
export function madeUp(schema: unknown, seed: number): unknown {
  try {
    return new MakingUp(schema, seededRandom(seed)).value(schema, 0);
  } catch (thrown) {
    if (!(thrown instanceof DeadEnd)) throw thrown;
    throw new TempoError(
      'unsupported',
      'The simulated engine found nothing that satisfies the schema. Say with simulate what it is to answer.',
      { param: 'simulate' },
    );
  }
}

class MakingUp {
  readonly #root: unknown;
  readonly #random: Random;
  #tries = 0;

  constructor(root: unknown, random: Random) {
    this.#root = root;
    this.#random = random;
  }

  value(schema: unknown, depth: number): unknown {
    if (schema === false || depth > MAX_DEPTH || ++this.#tries > MAX_TRIES) throw new DeadEnd();
    if (!isObject(schema)) return madeUpWords(this.#random);
    const { $ref, enum: choices } = schema;
    if (typeof $ref === 'string') return this.value(this.#target($ref), depth + 1);
    if ('const' in schema) return schema.const;
    if (Array.isArray(choices)) return choices[this.#below(choices.length)];
    const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (Array.isArray(branches)) return this.#oneOf(branches, depth);
    const { type = typeByKeywords(schema) } = schema;
    if (!Array.isArray(type)) return this.#typed(schema, type, depth);
    const byType = type.map((one) => ({ ...schema, type: one }));
    return this.#oneOf(byType, depth);
  }

  #typed(schema: Schema, type: unknown, depth: number): unknown {
    switch (type) {
      case 'null':
        return null;
      case 'boolean':
        return this.#random() < 0.5;
      case 'integer':
        return this.#integer(schema);
      case 'number':
        return this.#number(schema);
      case 'array':
        return this.#array(schema, depth);
      case 'object':
        return this.#object(schema, depth);
      default:
        return this.#string(schema);
    }
  }

  /** By any branch that has a value. In the depths the plainest comes first, so that there is an end. */
  #oneOf(branches: readonly unknown[], depth: number): unknown {
    const order = branches
      .map((branch) => {
        const text = JSON.stringify(branch);
        const weight = text.length + (text.includes('"$ref"') ? 1e6 : 0);
        return { branch, place: depth < PLENTY_UNTIL ? this.#random() : weight };
      })
      .sort((a, b) => a.place - b.place);
    for (const { branch } of order) {
      const found = this.#attempt(branch, depth);
      if (found !== undefined) return found.value;
    }
    throw new DeadEnd();
  }

  #attempt(schema: unknown, depth: number): { value: unknown } | undefined {
    try {
      return { value: this.value(schema, depth + 1) };
    } catch (thrown) {
      if (thrown instanceof DeadEnd) return undefined;
      throw thrown;
    }
  }

  #object(schema: Schema, depth: number): Schema {
    const { properties, required, minProperties, maxProperties } = schema;
    const known = isObject(properties) ? properties : {};
    const needed: readonly unknown[] = Array.isArray(required) ? required : [];
    const least = numberOr(minProperties, 0);
    const most = numberOr(maxProperties, Infinity);
    const made = new Map<string, unknown>();
    for (const name of needed) made.set(String(name), this.value(known[String(name)], depth + 1));
    const optional = Object.keys(known).filter((name) => !made.has(name));
    optional.forEach((name, i) => {
      const isNeeded = made.size + optional.length - i <= least;
      const isWanted = depth < PLENTY_UNTIL && this.#random() < 0.7;
      if (made.size >= most || !(isNeeded || isWanted)) return;
      const found = this.#attempt(known[name], depth);
      if (found !== undefined) made.set(name, found.value);
    });
    // A list by names that are free is dull without an entry.
    const isDull = made.size === 0 && depth < PLENTY_UNTIL && most > 0;
    if (isDull || made.size < least) this.#addFree(made, schema, depth);
    if (made.size < least) throw new DeadEnd();
    const inOrder = [...Object.keys(known).filter((name) => made.has(name)), ...made.keys()];
    return Object.fromEntries(inOrder.map((name) => [name, made.get(name)]));
  }

  /** Adds a property of a name that the schema leaves free, if it does. */
  #addFree(made: Map<string, unknown>, schema: Schema, depth: number): void {
    const { properties, patternProperties = {}, propertyNames } = schema;
    const [named] = isObject(patternProperties) ? Object.entries(patternProperties) : [];
    const [pattern, byPattern] = named ?? [];
    const open = !isObject(properties) && propertyNames === undefined;
    const rest = byPattern ?? schema.additionalProperties ?? schema.unevaluatedProperties ?? open;
    if (rest === false && propertyNames === undefined) return;
    const names = { type: 'string', pattern, ...(isObject(propertyNames) && propertyNames) };
    const name = this.#attempt(names, depth);
    const found = this.#attempt(rest || true, depth);
    if (name && found) made.set(String(name.value), found.value);
  }

  #array(schema: Schema, depth: number): unknown[] {
    const { prefixItems, items, unevaluatedItems, minItems, maxItems } = schema;
    const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : [];
    const rest = items ?? unevaluatedItems ?? first.length === 0;
    const wanted = rest !== false && depth < PLENTY_UNTIL ? 1 + this.#below(2) : 0;
    const least = Math.max(first.length, numberOr(minItems, 0));
    const count = Math.max(least, Math.min(wanted, numberOr(maxItems, Infinity)));
    return Array.from({ length: count }, (_, i) => this.value(first[i] ?? rest, depth + 1));
  }

  #string({ pattern, format, minLength, maxLength }: Schema): string {
    const [least, most] = [numberOr(minLength, 0), numberOr(maxLength, Infinity)];
    const made =
      typeof pattern === 'string'
        ? madeUpMatch(pattern, this.#random)
        : (madeUpFormat(format, this.#random) ?? madeUpWords(this.#random, least, most));
    const length = made === undefined ? -1 : [...made].length;
    if (made === undefined || length < least || length > most) throw new DeadEnd();
    return made;
  }

  #integer(schema: Schema): number {
    const { min, max, exclusiveMin, exclusiveMax } = boundsOf(schema);
    const above = exclusiveMin && Number.isInteger(min) ? 1 : 0;
    const below = exclusiveMax && Number.isInteger(max) ? 1 : 0;
    const most = max === undefined ? Infinity : Math.floor(max) - below;
    const least = min === undefined ? Math.min(0, most - REACH) : Math.ceil(min) + above;
    if (least > most) throw new DeadEnd();
    return least + this.#below(Math.min(most - least, REACH) + 1);
  }

  #number(schema: Schema): number {
    const { min, max = Infinity, exclusiveMin, exclusiveMax } = boundsOf(schema);
    const low = min ?? Math.min(0, max - REACH);
    const high = Math.min(max, low + REACH);
    const between = low + (high - low) * (0.1 + 0.8 * this.#random());
    const short = Math.round(between * 100) / 100;
    const value = short > low && short < high ? short : between;
    if ((exclusiveMin && value <= low) || (exclusiveMax && value >= max)) throw new DeadEnd();
    return value;
  }

  #target(ref: string): unknown {
    let target: unknown = this.#root;
    for (const part of ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
      const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      target = typeof target === 'object' && target !== null ? Reflect.get(target, name) : false;
    }
    return target;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

/** The type of a schema that does not say it, as `checkJsonSchema` reads it. */
function typeByKeywords(schema: Schema): string {
  const has = (...keywords: string[]) => keywords.some((keyword) => keyword in schema);
  if (has('properties', 'additionalProperties', 'unevaluatedProperties')) return 'object';
  return has('items', 'prefixItems', 'unevaluatedItems') ? 'array' : 'string';
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

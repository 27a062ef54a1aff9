/**
 * The JSON schemas that output can be constrained to: those that xgrammar 0.1.27 enforces in full, or
 * that `exact-schema.ts` helps it to. What it would reject, or take and silently not enforce, is named
 * here with its path, before any request is queued (`cpp/json_schema_converter.cc`, `VisitSchema` and
 * what it calls).
 *
 * Objects and arrays hold what the schema names and no more, unless `additionalProperties` or `items`
 * opens them (xgrammar's strict mode) or nothing is said of what they hold; properties come in the
 * schema's order. `$ref` reaches into the same schema (`#/$defs/…`).
 */
import { TempoError } from '../../scheduler';
import { boundsOf, decimalRange, integerRange } from './number-range';
import { MAX_LENGTH, patternToEbnf } from './string-pattern';

type Schema = Record<string, unknown>;

const ANNOTATIONS = new Set([
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$comment',
  '$schema',
  '$id',
  '$defs',
  'definitions',
  'discriminator',
]);

/** Keywords that decide alone; xgrammar reads the first of them that is there and nothing else. */
const DECIDING = ['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf'];

/** Keywords whose constraint xgrammar leaves out. */
const UNENFORCED = [
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'multipleOf',
  'uniqueItems',
  'contains',
  'minContains',
  'maxContains',
  '$dynamicRef',
];

/** What each type's constraints are. Elsewhere they mean nothing, in JSON Schema too. */
const BY_TYPE: Record<string, readonly string[]> = {
  object: [
    'properties',
    'required',
    'additionalProperties',
    'unevaluatedProperties',
    'patternProperties',
    'propertyNames',
    'minProperties',
    'maxProperties',
  ],
  array: ['items', 'prefixItems', 'unevaluatedItems', 'minItems', 'maxItems'],
  string: ['pattern', 'format', 'minLength', 'maxLength'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
};

const KNOWN = new Set([...DECIDING, ...Object.values(BY_TYPE).flat(), 'type']);

const FORMATS = new Set([
  'email',
  'date',
  'time',
  'date-time',
  'duration',
  'ipv4',
  'ipv6',
  'hostname',
  'uuid',
  'uri',
  'uri-reference',
  'uri-template',
]);

/** Levels of nesting: xgrammar's parser recurses, on a small stack. */
const MAX_DEPTH = 32;
/** Items and properties: repetitions are spelt out. */
const MAX_COUNT = 1024;
/** JSON's numbers are doubles. */
const MAX_BOUND = Number.MAX_SAFE_INTEGER;

/** Throws invalid_schema, with the path of what is wrong below `path`. */
export function checkJsonSchema(schema: unknown, path: string): void {
  new SchemaCheck(schema, path).visit(schema, path, 0);
}

/** The JSON schemas inside a structural tag (xgrammar's format), wherever they are. */
export function checkStructuralTag(value: unknown, path = 'structural_tag'): void {
  if (Array.isArray(value)) {
    value.forEach((item, i) => {
      checkStructuralTag(item, `${path}[${i}]`);
    });
  } else if (isObject(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'json_schema') checkJsonSchema(inner, `${path}.${key}`);
      else checkStructuralTag(inner, `${path}.${key}`);
    }
  }
}

class SchemaCheck {
  readonly #root: unknown;
  readonly #rootPath: string;
  /** References on the way here with no value in between: meeting one again is a circle. */
  #following = new Set(['#']);
  readonly #followed = new Set(['#']);

  constructor(root: unknown, rootPath: string) {
    this.#root = root;
    this.#rootPath = rootPath;
  }

  visit(schema: unknown, path: string, depth: number): void {
    if (schema === true) return;
    if (schema === false) reject(path, 'is false, which no value satisfies; leave it out');
    if (!isObject(schema)) reject(path, 'must be a JSON schema: an object or true');
    if (depth > MAX_DEPTH) reject(path, `is nested more than ${MAX_DEPTH} levels deep`);

    for (const keyword of Object.keys(schema)) {
      if (UNENFORCED.includes(keyword)) {
        reject(`${path}.${keyword}`, 'is a keyword that output cannot be constrained by');
      }
      if (!KNOWN.has(keyword) && !ANNOTATIONS.has(keyword)) {
        reject(`${path}.${keyword}`, 'is not a keyword that this service knows');
      }
    }
    const deciding = DECIDING.find((keyword) => keyword in schema);
    if (deciding !== undefined) this.#visitDeciding(schema, deciding, path, depth);
    else this.#visitTyped(schema, path, depth);
  }

  #visitDeciding(schema: Schema, keyword: string, path: string, depth: number): void {
    const value = schema[keyword];
    const at = `${path}.${keyword}`;
    const isLiteral = keyword === 'const' || keyword === 'enum';
    for (const other of Object.keys(schema)) {
      if (other === keyword || ANNOTATIONS.has(other) || (isLiteral && other === 'type')) continue;
      reject(`${path}.${other}`, `would be ignored beside ${keyword}; put it inside`);
    }
    if (keyword === '$ref') {
      this.#follow(value, at, depth);
    } else if (keyword === 'enum') {
      if (!Array.isArray(value) || value.length === 0) reject(at, 'must be a list of values');
    } else if (keyword !== 'const') {
      if (!Array.isArray(value) || value.length === 0) reject(at, 'must be a list of schemas');
      if (keyword === 'allOf' && value.length > 1) {
        reject(at, 'may hold one schema only; merge them');
      }
      value.forEach((branch, i) => {
        this.visit(branch, `${at}[${i}]`, depth + 1);
      });
    }
  }

  #follow(ref: unknown, path: string, depth: number): void {
    if (typeof ref !== 'string' || !(ref === '#' || ref.startsWith('#/'))) {
      reject(path, 'must point into this schema: "#" or "#/$defs/…"');
    }
    if (this.#following.has(ref)) reject(path, `refers to itself (${ref}) with nothing in between`);
    let target = this.#root;
    for (const part of ref.slice(2).split('/').filter(Boolean)) {
      if (!isObject(target) || !Object.hasOwn(target, part)) {
        reject(path, `points to ${ref}, which is not in this schema`);
      }
      target = target[part];
    }
    if (this.#followed.has(ref)) return;
    this.#followed.add(ref);
    this.#following.add(ref);
    this.visit(target, `${this.#rootPath}.${ref.slice(2).replaceAll('/', '.')}`, depth);
    this.#following.delete(ref);
  }

  #visitTyped(schema: Schema, path: string, depth: number): void {
    const types = this.#typesOf(schema, path);
    if (types === undefined) {
      const constraint = Object.keys(schema).find((keyword) => !ANNOTATIONS.has(keyword));
      if (constraint !== undefined) {
        reject(path, `needs a "type" for ${constraint} to be about`);
      }
      return;
    }
    const following = this.#following;
    this.#following = new Set(); // a value is in between from here on
    if (types.includes('object')) this.#visitObject(schema, path, depth);
    if (types.includes('array')) this.#visitArray(schema, path, depth);
    if (types.includes('string')) checkString(schema, path);
    if (types.includes('integer') || types.includes('number')) checkNumber(schema, types, path);
    this.#following = following;
  }

  /** The types of a schema, said or (as xgrammar does) read off its keywords. */
  #typesOf(schema: Schema, path: string): readonly string[] | undefined {
    const { type } = schema;
    if (type !== undefined) {
      const types = Array.isArray(type) ? type : [type];
      if (types.length === 0) reject(`${path}.type`, 'must name a type');
      types.forEach((name, i) => {
        if (typeof name !== 'string' || !Object.hasOwn(BY_TYPE, name)) {
          const at = Array.isArray(type) ? `${path}.type[${i}]` : `${path}.type`;
          reject(at, `is not a type; the types are ${Object.keys(BY_TYPE).join(', ')}`);
        }
      });
      return types;
    }
    const has = (...keywords: string[]) => keywords.some((keyword) => keyword in schema);
    if (has('properties', 'additionalProperties', 'unevaluatedProperties')) return ['object'];
    if (has('items', 'prefixItems', 'unevaluatedItems')) return ['array'];
    return undefined;
  }

  #visitObject(schema: Schema, path: string, depth: number): void {
    const { properties = {}, required = [], additionalProperties, unevaluatedProperties } = schema;
    if (!isObject(properties)) reject(`${path}.properties`, 'must be an object of schemas');
    if (!Array.isArray(required)) reject(`${path}.required`, 'must be a list of names');
    required.forEach((name, i) => {
      if (typeof name !== 'string' || !Object.hasOwn(properties, name)) {
        reject(`${path}.required[${i}]`, 'names a property that is not among the properties');
      }
    });
    for (const [name, inner] of Object.entries(properties)) {
      this.visit(inner, `${path}.properties.${name}`, depth + 1);
    }
    for (const keyword of ['patternProperties', 'propertyNames']) {
      if (!(keyword in schema)) continue;
      if ('properties' in schema || additionalProperties !== undefined) {
        reject(`${path}.${keyword}`, 'cannot stand beside properties or additionalProperties');
      }
    }
    if ('patternProperties' in schema) {
      const { patternProperties } = schema;
      if (!isObject(patternProperties)) reject(`${path}.patternProperties`, 'must be an object');
      for (const [pattern, inner] of Object.entries(patternProperties)) {
        checkPattern(pattern, `${path}.patternProperties`);
        this.visit(inner, `${path}.patternProperties.${pattern}`, depth + 1);
      }
    }
    if ('propertyNames' in schema) {
      const { propertyNames } = schema;
      if (!isObject(propertyNames)) reject(`${path}.propertyNames`, 'must be a schema of strings');
      if (propertyNames.type !== undefined && propertyNames.type !== 'string') {
        reject(`${path}.propertyNames.type`, 'must be "string": names are strings');
      }
      this.visit({ ...propertyNames, type: 'string' }, `${path}.propertyNames`, depth + 1);
    }
    this.#visitRest(additionalProperties, `${path}.additionalProperties`, depth);
    this.#visitRest(unevaluatedProperties, `${path}.unevaluatedProperties`, depth);
    checkCounts(schema, 'minProperties', 'maxProperties', path);
    const isOpen =
      (additionalProperties ?? unevaluatedProperties ?? false) !== false ||
      'patternProperties' in schema ||
      'propertyNames' in schema;
    const least = Number(schema.minProperties ?? 0);
    if (isOpen && least > 1) {
      reject(`${path}.minProperties`, 'may be 1 at most where names are free: they may repeat');
    }
    if (!isOpen && 'properties' in schema && least > Object.keys(properties).length) {
      reject(`${path}.minProperties`, 'is more than there are properties');
    }
    if (required.length > Number(schema.maxProperties ?? Infinity)) {
      reject(`${path}.maxProperties`, 'is less than the properties that are required');
    }
  }

  #visitArray(schema: Schema, path: string, depth: number): void {
    const { items, prefixItems = [], unevaluatedItems } = schema;
    if (!Array.isArray(prefixItems)) reject(`${path}.prefixItems`, 'must be a list of schemas');
    prefixItems.forEach((inner, i) => {
      this.visit(inner, `${path}.prefixItems[${i}]`, depth + 1);
    });
    if (Array.isArray(items)) reject(`${path}.items`, 'must be one schema; use prefixItems');
    this.#visitRest(items, `${path}.items`, depth);
    this.#visitRest(unevaluatedItems, `${path}.unevaluatedItems`, depth);
    checkCounts(schema, 'minItems', 'maxItems', path);
    const isOpen = (items ?? unevaluatedItems ?? !('prefixItems' in schema)) !== false;
    if (!isOpen && Number(schema.minItems ?? 0) > prefixItems.length) {
      reject(`${path}.minItems`, 'is more than there are items');
    }
    if (prefixItems.length > Number(schema.maxItems ?? Infinity)) {
      reject(`${path}.maxItems`, 'is less than there are prefixItems');
    }
  }

  /** A schema for what else there may be; false for nothing. */
  #visitRest(schema: unknown, path: string, depth: number): void {
    if (schema !== undefined && schema !== false) this.visit(schema, path, depth + 1);
  }
}

function checkString(schema: Schema, path: string): void {
  const { pattern, format } = schema;
  if (pattern !== undefined) {
    checkPattern(pattern, `${path}.pattern`);
    for (const keyword of ['format', 'minLength', 'maxLength']) {
      if (keyword in schema) reject(`${path}.${keyword}`, 'would be ignored beside pattern');
    }
  }
  if (format !== undefined) {
    if (typeof format !== 'string' || !FORMATS.has(format)) {
      reject(`${path}.format`, `is not a known format; those are ${[...FORMATS].join(', ')}`);
    }
    for (const keyword of ['minLength', 'maxLength']) {
      if (keyword in schema) reject(`${path}.${keyword}`, 'would be ignored beside format');
    }
  }
  checkCounts(schema, 'minLength', 'maxLength', path, MAX_LENGTH);
}

function checkPattern(pattern: unknown, path: string): void {
  if (typeof pattern !== 'string') reject(path, 'must be a regular expression');
  try {
    patternToEbnf(pattern);
  } catch (error) {
    reject(path, error instanceof Error ? error.message : String(error));
  }
}

function checkNumber(schema: Schema, types: readonly string[], path: string): void {
  for (const keyword of BY_TYPE.number) {
    const value = schema[keyword];
    if (value !== undefined && !(typeof value === 'number' && Math.abs(value) <= MAX_BOUND)) {
      reject(`${path}.${keyword}`, 'must be a number, at most 2^53');
    }
  }
  const bounds = boundsOf(schema);
  const range = types.includes('number') ? decimalRange(bounds) : integerRange(bounds);
  if (range === undefined) reject(path, 'allows no number: its minimum is above its maximum');
}

function checkCounts(
  schema: Schema,
  least: string,
  most: string,
  path: string,
  limit = MAX_COUNT,
): void {
  const count = (keyword: string): number | undefined => {
    const value = schema[keyword];
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
      reject(`${path}.${keyword}`, 'must be a whole number of 0 or more');
    }
    if (value > limit) {
      reject(
        `${path}.${keyword}`,
        `can be enforced up to ${limit} only; leave it out, or lower it`,
      );
    }
    return value;
  };
  const min = count(least) ?? 0;
  const max = count(most) ?? Infinity;
  if (min > max) reject(path, `allows nothing: ${least} is above ${most}`);
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reject(path: string, words: string): never {
  throw new TempoError('invalid_schema', `${path} ${words}.`, { param: path });
}

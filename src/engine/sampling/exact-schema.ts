/**
 * JSON schemas that mean what they say. Where xgrammar 0.1.27's rules for a schema are wrong (numbers
 * between bounds, strings with a pattern or a length, names with quotation marks), the schema gets a
 * placeholder there and the grammar made of it our own rule in the placeholder's place. And objects
 * and arrays of which nothing more is said hold anything, where xgrammar's would be empty.
 */

import { boundsOf, decimalRange, integerRange } from './number-range';
import { patternToEbnf } from './string-pattern';

type Schema = Record<string, unknown>;

export interface ExactSchema {
  /** For xgrammar. */
  schema: unknown;
  /** EBNF by placeholder; empty where the schema needed no help. */
  rules: ReadonlyMap<string, string>;
}

/**
 * A character of a string whose length counts: what needs no backslash. (With the others beside it,
 * xgrammar takes twice as long for each repetition.)
 */
const PLAIN_CHARACTER = '[^"\\\\\\x00-\\x1f]';

/** Keywords whose values are schemas, lists of schemas, or schemas by name. */
const INNER = [
  'items',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'propertyNames',
];
const INNER_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const INNER_MAPS = ['properties', 'patternProperties', '$defs', 'definitions'];

/** `schema` must have passed `checkJsonSchema`. */
export function exactSchema(schema: unknown): ExactSchema {
  const rules = new Map<string, string>();
  return { schema: rewrite(schema, rules), rules };
}

/** The grammar that xgrammar made of an exact schema, with the rules in the placeholders' places. */
export function completeGrammar(ebnf: string, rules: ReadonlyMap<string, string>): string {
  let grammar = ebnf;
  let number = 0;
  for (const [placeholder, rule] of rules) {
    const name = `exact_${number++}`;
    grammar = grammar.replaceAll(`"\\"${placeholder}\\""`, name);
    grammar += `\n${name} ::= ${rule}`;
  }
  return `${grammar}\n`;
}

function rewrite(schema: unknown, rules: Map<string, string>): unknown {
  if (!isObject(schema)) return schema;
  const { type } = schema;
  if (Array.isArray(type) && (needsHelp(schema) || needsContents(schema, type))) {
    // Each type for itself. What references may reach stays where it is.
    const { $defs = {}, definitions = {}, ...rest } = schema;
    const anyOf = type.map((one) => ({ ...rest, type: one }));
    return rewrite({ $defs, definitions, anyOf }, rules);
  }
  const rule = needsHelp(schema) ? ruleFor(schema) : undefined;
  if (rule !== undefined) {
    return { const: placeholderFor(rule, rules) };
  }
  const copy: Schema = { ...schema };
  if (needsContents(schema, [type])) {
    copy[type === 'array' ? 'items' : 'additionalProperties'] = true;
  }
  for (const key of INNER) if (key in copy) copy[key] = rewrite(copy[key], rules);
  for (const key of INNER_LISTS) {
    const list = copy[key];
    if (Array.isArray(list)) copy[key] = list.map((one) => rewrite(one, rules));
  }
  for (const key of INNER_MAPS) {
    const map = copy[key];
    if (!isObject(map)) continue;
    const entries = Object.entries(map).map(([name, one]) => [name, rewrite(one, rules)] as const);
    copy[key] = Object.fromEntries(entries);
  }
  return withPlainNames(copy, rules);
}

/** xgrammar cannot write names that JSON writes with a backslash. */
function withPlainNames(schema: Schema, rules: Map<string, string>): Schema {
  const { properties, required } = schema;
  if (!isObject(properties)) return schema;
  const plain = (name: string) => {
    const written = JSON.stringify(name);
    if (!written.includes('\\')) return name;
    const literal = `"${written.replace(/["\\]/g, '\\$&')}"`;
    const known = [...rules].find(([, rule]) => rule === literal);
    return known?.[0] ?? placeholderFor(literal, rules);
  };
  const entries = Object.entries(properties).map(([name, one]) => [plain(name), one] as const);
  return {
    ...schema,
    properties: Object.fromEntries(entries),
    ...(Array.isArray(required) && { required: required.map((name) => plain(String(name))) }),
  };
}

function placeholderFor(rule: string, rules: Map<string, string>): string {
  const placeholder = `@exact:${rules.size}@`;
  rules.set(placeholder, rule);
  return placeholder;
}

const HELPED = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'pattern',
  'minLength',
  'maxLength',
];

function needsHelp(schema: Schema): boolean {
  return !isDecided(schema) && HELPED.some((key) => key in schema);
}

const ITEMS = ['items', 'prefixItems', 'unevaluatedItems'];
const PROPERTIES = [
  'properties',
  'additionalProperties',
  'unevaluatedProperties',
  'patternProperties',
  'propertyNames',
];

/** Whether a schema says of one of its types that it has contents, and not what they are. */
function needsContents(schema: Schema, types: readonly unknown[]): boolean {
  if (isDecided(schema)) return false;
  return (
    (types.includes('array') && !ITEMS.some((key) => key in schema)) ||
    (types.includes('object') && !PROPERTIES.some((key) => key in schema))
  );
}

/** Beside these keywords xgrammar reads nothing else, and `checkJsonSchema` allows nothing else. */
function isDecided(schema: Schema): boolean {
  return ['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf'].some((key) => key in schema);
}

/** The rule for a schema of one type; undefined where its constraints are about other types. */
function ruleFor(schema: Schema): string | undefined {
  const { type, pattern, minLength = 0, maxLength = '' } = schema;
  const bounds = boundsOf(schema);
  const bounded = bounds.min !== undefined || bounds.max !== undefined;
  if (type === 'integer' && bounded) return integerRange(bounds);
  if (type === 'number' && bounded) return decimalRange(bounds);
  if (type !== 'string') return undefined;
  if (typeof pattern === 'string') return `"\\"" ${patternToEbnf(pattern)} "\\""`;
  if ('minLength' in schema || 'maxLength' in schema) {
    return `"\\"" ${PLAIN_CHARACTER}{${minLength},${maxLength}} "\\""`;
  }
  return undefined;
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

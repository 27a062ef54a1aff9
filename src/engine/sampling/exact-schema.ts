/**
 * JSON schemas that mean what they say. Where xgrammar 0.1.27's rules for a schema are wrong (numbers
 * between bounds, strings with a pattern or a length), the schema gets a placeholder there and the
 * grammar made of it our own rule in the placeholder's place.
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
  if (Array.isArray(type) && needsHelp(schema)) {
    return { anyOf: type.map((one) => rewrite({ ...schema, type: one }, rules)) };
  }
  const rule = needsHelp(schema) ? ruleFor(schema) : undefined;
  if (rule !== undefined) {
    const placeholder = `@exact:${rules.size}@`;
    rules.set(placeholder, rule);
    return { const: placeholder };
  }
  const copy: Schema = { ...schema };
  for (const key of INNER) if (key in copy) copy[key] = rewrite(copy[key], rules);
  for (const key of INNER_LISTS) {
    const list = copy[key];
    if (Array.isArray(list)) copy[key] = list.map((one) => rewrite(one, rules));
  }
  for (const key of INNER_MAPS) {
    const map = copy[key];
    if (!isObject(map)) continue;
    copy[key] = Object.fromEntries(
      Object.entries(map).map(([name, one]) => [name, rewrite(one, rules)]),
    );
  }
  return copy;
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
  // Beside these xgrammar reads nothing else, and neither does `checkJsonSchema` allow it.
  const decided = ['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf'].some((key) => key in schema);
  return !decided && HELPED.some((key) => key in schema);
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

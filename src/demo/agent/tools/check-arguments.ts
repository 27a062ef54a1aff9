import type { Json } from './tool';

type Schema = Readonly<Record<string, unknown>>;
/** What is wrong with a value, by a keyword's value and the schema around it. */
type Check = (limit: unknown, value: Json, at: string, schema: Schema) => readonly string[];

export const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeOf = (value: Json): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

const isType = (value: Json, type: unknown): boolean =>
  type === 'integer' ? Number.isInteger(value) : typeOf(value) === type;

/** The keywords of JSON Schema that the tools' declarations use, each with what is wrong with a value. */
const KEYWORDS: Readonly<Record<string, Check>> = {
  description: () => [],
  type: (type, value, at) => (isType(value, type) ? [] : [`${at} must be ${type}`]),
  enum: (choices, value, at) =>
    Array.isArray(choices) && choices.includes(value)
      ? []
      : [`${at} must be equal to one of the allowed values`],
  minLength: (least, value, at) =>
    typeof value === 'string' && [...value].length < Number(least)
      ? [`${at} must NOT have fewer than ${least} characters`]
      : [],
  pattern: (pattern, value, at) =>
    typeof value === 'string' && !new RegExp(String(pattern), 'u').test(value)
      ? [`${at} must match pattern "${pattern}"`]
      : [],
  minimum: (least, value, at) =>
    typeof value === 'number' && value < Number(least) ? [`${at} must be >= ${least}`] : [],
  maximum: (most, value, at) =>
    typeof value === 'number' && value > Number(most) ? [`${at} must be <= ${most}`] : [],
  required: (names, value, at) =>
    isObject(value) && Array.isArray(names)
      ? names
          .filter((name) => !Object.hasOwn(value, name))
          .map((name) => `${at} must have required property '${name}'`)
      : [],
  properties: (properties, value, at) =>
    isObject(value) && isObject(properties)
      ? Object.entries(properties).flatMap(([name, schema]) =>
          Object.hasOwn(value, name) && isObject(schema)
            ? problemsOf(schema, value[name], `${at}/${name}`)
            : [],
        )
      : [],
  additionalProperties: (allowed, value, at, { properties }) =>
    allowed === false && isObject(value)
      ? Object.keys(value)
          .filter((name) => !isObject(properties) || !Object.hasOwn(properties, name))
          .map(() => `${at} must NOT have additional properties`)
      : [],
};

/**
 * What is wrong with a call's arguments, in sentences; none where they are as declared. It interprets the
 * schema, so that the page can forbid `eval`. Throws for a keyword that it does not know.
 */
export function problemsOf(schema: Schema, value: Json, at = 'arguments'): string[] {
  return Object.entries(schema).flatMap(([keyword, limit]) => {
    const check = KEYWORDS[keyword];
    if (check === undefined)
      throw new Error(`The keyword ${keyword} of a tool's schema is not known.`);
    return check(limit, value, at, schema);
  });
}

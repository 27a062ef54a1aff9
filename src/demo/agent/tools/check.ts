import type { Json } from './tool';

/** The part of JSON Schema that the tools' parameters are written in. */
interface Schema {
  type?: unknown;
  enum?: unknown;
  minLength?: unknown;
  pattern?: unknown;
  minimum?: unknown;
  maximum?: unknown;
  properties?: unknown;
  required?: unknown;
  additionalProperties?: unknown;
}

const KEYWORDS = new Set([
  ...['type', 'enum', 'minLength', 'pattern', 'minimum', 'maximum', 'description'],
  ...['properties', 'required', 'additionalProperties'],
]);

/**
 * What is wrong with a value, in words for the model; empty where nothing is. Validators that compile a
 * schema to code are not for this page, whose Content-Security-Policy lets no text be run as code. Throws
 * where the schema says something else than what is heeded here.
 */
export function problems(value: Json, schema: object, at: string): string[] {
  const unknown = Object.keys(schema).find((keyword) => !KEYWORDS.has(keyword));
  if (unknown !== undefined) throw new Error(`"${unknown}" is no keyword of the tools' schemas.`);
  const { type, enum: choices }: Schema = schema;
  if (typeof type === 'string' && !isOf(type, value)) return [`${at} must be ${type}`];
  if (Array.isArray(choices) && !choices.includes(value)) {
    return [`${at} must be equal to one of the allowed values (${choices.join(', ')})`];
  }
  if (typeof value === 'string') return ofText(value, schema, at);
  if (typeof value === 'number') return ofNumber(value, schema, at);
  return isObject(value) ? ofObject(value, schema, at) : [];
}

function ofText(value: string, { minLength = 0, pattern }: Schema, at: string): string[] {
  const found: string[] = [];
  const least = Number(minLength);
  if ([...value].length < least) found.push(`${at} must NOT have fewer than ${least} characters`);
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) {
    found.push(`${at} must match pattern "${pattern}"`);
  }
  return found;
}

function ofNumber(value: number, { minimum, maximum }: Schema, at: string): string[] {
  const found: string[] = [];
  if (typeof minimum === 'number' && value < minimum) found.push(`${at} must be >= ${minimum}`);
  if (typeof maximum === 'number' && value > maximum) found.push(`${at} must be <= ${maximum}`);
  return found;
}

function ofObject(value: Record<string, Json>, schema: Schema, at: string): string[] {
  const { required, additionalProperties } = schema;
  const properties = isObject(schema.properties) ? schema.properties : {};
  const missing = (Array.isArray(required) ? required : [])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${at} must have required property '${name}'`);
  const unknown = Object.keys(value)
    .filter((name) => additionalProperties === false && !Object.hasOwn(properties, name))
    .map((name) => `${at} must NOT have additional properties ('${name}')`);
  const inner = Object.entries(properties).flatMap(([name, property]) =>
    Object.hasOwn(value, name) && isObject(property)
      ? problems(value[name], property, `${at}/${name}`)
      : [],
  );
  return [...missing, ...unknown, ...inner];
}

function isOf(type: string, value: Json): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function isObject<T>(value: T): value is T & Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

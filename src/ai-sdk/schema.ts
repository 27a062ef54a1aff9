/**
 * A schema of draft 7, as the AI SDK makes them, in the words that the server holds output to; it says
 * the same. Tuples become `prefixItems`; that names are strings is implied by JSON; the dialect would
 * only cost the model tokens.
 */
export function schemaOf(schema: object): Record<string, unknown> {
  const { $schema: _, ...rest } = mapSchema(schema);
  return rest;
}

type Schema = Record<string, unknown>;

/** Keywords that hold schemas by names of the caller's. */
export const SCHEMAS_BY_NAME = new Set(['properties', 'patternProperties', '$defs', 'definitions']);
const LIST_SCHEMAS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const ARE_SCHEMAS = new Set(['items', 'additionalItems', 'additionalProperties', 'propertyNames']);

function mapSchema(schema: object): Schema {
  const mapped: Schema = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (SCHEMAS_BY_NAME.has(keyword) && isObject(value)) {
      mapped[keyword] = Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, mapAny(inner)]),
      );
    } else if (LIST_SCHEMAS.has(keyword) && Array.isArray(value)) {
      mapped[keyword] = value.map(mapAny);
    } else if (keyword === 'items' && Array.isArray(value)) {
      mapped.prefixItems = value.map(mapAny);
    } else {
      mapped[keyword] = ARE_SCHEMAS.has(keyword) ? mapAny(value) : value;
    }
  }
  return inServersWords(mapped);
}

function inServersWords({ additionalItems, propertyNames, ...rest }: Schema): Schema {
  return {
    ...rest,
    ...(additionalItems !== undefined && 'prefixItems' in rest && { items: additionalItems }),
    ...(propertyNames !== undefined && !anyName(propertyNames) && { propertyNames }),
  };
}

function anyName(propertyNames: unknown): boolean {
  if (!isObject(propertyNames)) return propertyNames === true;
  return Object.entries(propertyNames).every(
    ([key, value]) => key === 'type' && value === 'string',
  );
}

function mapAny(schema: unknown): unknown {
  return isObject(schema) ? mapSchema(schema) : schema;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

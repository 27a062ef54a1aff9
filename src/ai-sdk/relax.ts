import type { SharedV4Warning } from '@ai-sdk/provider';
import type { ChatCompletionParams } from '../client';
import { TempoError } from '../worker/protocol';
import { SCHEMAS_BY_NAME } from './schema';

/** What a schema may lose and still be about the same values. */
const CONSTRAINTS = new Set([
  ...['pattern', 'format', 'minLength', 'maxLength', 'contentEncoding', 'contentMediaType'],
  ...['multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  ...['minItems', 'maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
  ...['minProperties', 'maxProperties', 'propertyNames', 'patternProperties'],
  ...['dependentRequired', 'dependentSchemas', 'dependencies', 'not', 'if', 'then', 'else'],
]);

/**
 * The request without the constraint of a schema that `refusal` says output cannot be held to; the
 * AI SDK checks every answer against the whole schema anyway. Undefined where it was refused for
 * something else.
 */
export function relaxed<T extends Pick<ChatCompletionParams, 'tools' | 'response_format'>>(
  params: T,
  refusal: unknown,
): { params: T; warning: SharedV4Warning } | undefined {
  if (!(refusal instanceof TempoError) || refusal.code !== 'invalid_schema') return undefined;
  const { response_format: format } = params;
  const path = refusal.param ?? '';
  // A pattern or grammar that is the whole form has no schema around it.
  if (path.startsWith('response_format.') && format?.type !== 'json_schema') return undefined;
  const copy = structuredClone(params);
  if (!removeAt(copy, path)) return undefined;
  return {
    params: copy,
    warning: {
      type: 'compatibility',
      feature: 'JSON schema',
      details: `${refusal.message} It was left out while generating; the answer is validated all the same.`,
    },
  };
}

/**
 * Removes the constraint at `path`, such as `tools[0].function.parameters.properties.a.format`. What
 * holds schemas by name holds no constraints.
 */
function removeAt(root: unknown, path: string, holdsSchemas = false): boolean {
  if (typeof root !== 'object' || root === null) return false;
  if (!holdsSchemas && CONSTRAINTS.has(path)) {
    return path in root && Reflect.deleteProperty(root, path);
  }
  // A name may hold dots itself.
  return Object.entries(root).some(([key, value]) => {
    const start = Array.isArray(root) ? `[${key}]` : key;
    const rest = path.slice(start.length);
    if (!path.startsWith(start) || !/^[.[]/.test(rest)) return false;
    return removeAt(value, rest.replace(/^\./, ''), !holdsSchemas && SCHEMAS_BY_NAME.has(key));
  });
}

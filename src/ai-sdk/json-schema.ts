/**
 * A JSON schema of draft 7. The AI SDK's types name it by `json-schema`, whose types a page would have
 * to install; in the package's own types this stands in its place (scripts/library.ts).
 */
export type JSONSchema7 = object;
export type JSONSchema7Definition = JSONSchema7 | boolean;

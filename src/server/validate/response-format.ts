import { type GrammarSpec, TempoError } from '../../scheduler';
import { expect, flag, isRecord, object, oneOf, type Reader, text } from './fields';
import { jsonText, MAX_LENGTH } from './json-text';

const schema: Reader<GrammarSpec> = (value, at) => ({
  type: 'json_schema',
  schema: jsonText(value, at),
  path: at,
});

/** JSON as text, as WebLLM has it, or as it is. */
function fromText<T>(read: Reader<T>): Reader<T> {
  return (value, at, reading) => {
    if (typeof value !== 'string') return read(value, at, reading);
    if (value.length > MAX_LENGTH) {
      const sentence = `${at} is too large: it has more than ${MAX_LENGTH} characters.`;
      throw new TempoError('invalid_schema', sentence, { param: at });
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(value);
    } catch (cause) {
      throw new TempoError('invalid_schema', `${at} is not valid JSON.`, { param: at, cause });
    }
    return read(parsed, at, reading);
  };
}

const structuralTag: Reader<GrammarSpec> = (value, at) => {
  expect(isRecord(value), at, `${at} must be a structural tag, as xgrammar has it`, value);
  const tag = 'format' in value ? value : { type: 'structural_tag', format: value };
  return { type: 'structural_tag', tag: jsonText(tag, at) };
};

const ebnf: Reader<GrammarSpec> = (value, at, reading) => {
  const grammar = text(value, at, reading);
  expect(grammar !== '', at, `${at} must be a grammar in EBNF`, value);
  return { type: 'ebnf', grammar };
};

const pattern: Reader<GrammarSpec> = (value, at, reading) => ({
  type: 'regex',
  pattern: text(value, at, reading),
  path: at,
});

const ANY_JSON: GrammarSpec = { type: 'json' };

const type = oneOf('text', 'json_object', 'json_schema', 'regex', 'grammar', 'structural_tag');
const TEXT = object({ type });
const JSON_OBJECT = object({ type, schema: fromText(schema) });
const JSON_SCHEMA = object(
  {
    type,
    json_schema: object({ name: text, description: text, schema, strict: flag }),
  },
  ['json_schema'],
);
const REGEX = object({ type, pattern }, ['pattern']);
const GRAMMAR = object({ type, grammar: ebnf }, ['grammar']);
const STRUCTURAL_TAG = object({ type, structural_tag: fromText(structuralTag) }, [
  'structural_tag',
]);

/**
 * What the answer is held to; undefined for text. OpenAI's formats, and WebLLM's: a schema as text,
 * EBNF, structural tags; and Together AI's regular expressions.
 */
export const responseFormat: Reader<GrammarSpec | undefined> = (value, at, reading) => {
  expect(isRecord(value), at, `${at} must be an object with a type`, value);
  switch (type(value.type ?? 'text', `${at}.type`, reading)) {
    case 'text':
      TEXT(value, at, reading);
      return undefined;
    case 'json_object':
      return JSON_OBJECT(value, at, reading).schema ?? ANY_JSON;
    case 'json_schema':
      return JSON_SCHEMA(value, at, reading).json_schema.schema ?? ANY_JSON;
    case 'regex':
      return REGEX(value, at, reading).pattern;
    case 'grammar':
      return GRAMMAR(value, at, reading).grammar;
    case 'structural_tag':
      return STRUCTURAL_TAG(value, at, reading).structural_tag;
  }
};

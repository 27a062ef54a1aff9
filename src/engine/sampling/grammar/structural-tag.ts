/**
 * Structural tags: texts with JSON values between marks, in xgrammar's format. What is known of it:
 * `const_string`, `json_schema`, `regex`, `grammar`, `any_text`, `sequence`, `or`, `optional`,
 * `star`, `plus`, `tag`, `triggered_tags`, `tags_with_separator`.
 */
import { intersection, patternLanguage } from '../language/languages';
import { BadPattern } from '../language/pattern';
import { TooComplex } from '../language/too-complex';
import type { Pace } from '../pace';
import { isRecord, type Schema } from '../schema/document';
import { invalid } from '../schema/invalid-schema';
import { planOf } from '../schema/planner';
import { BadGrammar } from './bad-grammar';
import { readEbnf } from './ebnf';
import { EMPTY, type Expression } from './expression';

/** Formats within formats: the reader calls itself for each. */
const MAX_DEPTH = 64;

/** Reads a tag. Throws invalid_schema, with the path of what is wrong below `path`. */
export async function readStructuralTag(
  tag: unknown,
  path: string,
  pace: Pace,
): Promise<Expression> {
  if (!isRecord(tag) || !isRecord(tag.format))
    return invalid(path, 'must be { format: { type, … } }');
  return new Reader(pace).read(tag.format, `${path}.format`, 0);
}

/** A grammar in EBNF, as an expression. Throws invalid_schema. */
export async function readGrammar(grammar: unknown, path: string, pace: Pace): Promise<Expression> {
  if (typeof grammar !== 'string') return invalid(path, 'must be a grammar in EBNF');
  try {
    return await readEbnf(grammar, pace);
  } catch (error) {
    if (!(error instanceof BadGrammar || error instanceof TooComplex)) throw error;
    return invalid(path, `does not compile: the grammar ${error.message}`, error);
  }
}

/** Text, for a pattern's `.` and `[^…]`: no control characters but tabs and ends of lines. */
const TEXT = '^[\\t\\n\\r\\x20-\\x7e\\u{80}-\\u{10ffff}]*$';

/** A text all of which a regular expression matches. Throws invalid_schema. */
export async function readPattern(pattern: string, path: string, pace: Pace): Promise<Expression> {
  try {
    const matching = await patternLanguage(`^(?:${pattern})$`, pace);
    const dfa = await intersection(matching, await patternLanguage(TEXT, pace), pace);
    if (dfa.isEmpty) invalid(path, 'allows no text');
    return { kind: 'language', dfa };
  } catch (error) {
    if (!(error instanceof BadPattern || error instanceof TooComplex)) throw error;
    return invalid(path, `cannot be followed: the pattern ${error.message}`, error);
  }
}

class Reader {
  readonly #pace: Pace;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  async read(format: unknown, path: string, depth: number): Promise<Expression> {
    if (depth > MAX_DEPTH) invalid(path, `is nested more than ${MAX_DEPTH} levels deep`);
    if (!isRecord(format)) return invalid(path, 'must be a format: an object with a type');
    if (this.#pace.due) await this.#pace.rest();
    this.#pace.spend(1);
    switch (format.type) {
      case 'const_string':
        return { kind: 'text', text: textOf(format, 'value', path) };
      case 'json_schema': {
        const at = pathOf(format, `${path}.json_schema`);
        return { kind: 'value', plan: await planOf(format.json_schema, at, this.#pace) };
      }
      case 'regex':
        return readPattern(
          textOf(format, 'pattern', path),
          pathOf(format, `${path}.pattern`),
          this.#pace,
        );
      case 'grammar':
        return readGrammar(format.grammar, `${path}.grammar`, this.#pace);
      case 'any_text':
        return { kind: 'anything', until: [], mayEnd: true };
      case 'sequence':
        return { kind: 'sequence', parts: await this.#list(format, 'elements', path, depth) };
      case 'or':
        return { kind: 'choice', parts: await this.#list(format, 'elements', path, depth) };
      case 'optional':
      case 'star':
      case 'plus': {
        const part = await this.read(format.content, `${path}.content`, depth + 1);
        const [min, max] = { optional: [0, 1], star: [0, Infinity], plus: [1, Infinity] }[
          format.type
        ];
        return { kind: 'repeat', part, min, max };
      }
      case 'tag':
        return this.#tag(format, path, depth, '');
      case 'triggered_tags':
        return this.#triggered(format, path, depth);
      case 'tags_with_separator':
        return this.#separated(format, path, depth);
      default:
        return invalid(`${path}.type`, 'is not a known type of format');
    }
  }

  async #list(format: Schema, key: string, path: string, depth: number): Promise<Expression[]> {
    const list = format[key];
    if (!Array.isArray(list) || list.length === 0) {
      return invalid(`${path}.${key}`, 'must be a list of formats, not empty');
    }
    const parts: Expression[] = [];
    for (let i = 0; i < list.length; i++) {
      parts.push(await this.read(list[i], `${path}.${key}[${i}]`, depth + 1));
    }
    return parts;
  }

  /** A tag of which `begun` has been written. */
  async #tag(tag: Schema, path: string, depth: number, begun: string): Promise<Expression> {
    const begin = textOf(tag, 'begin', path);
    const ends = Array.isArray(tag.end) ? tag.end : [tag.end];
    if (!ends.every((end) => typeof end === 'string')) invalid(`${path}.end`, 'must be a text');
    if (!begin.startsWith(begun)) invalid(`${path}.begin`, 'must begin with a trigger');
    const start: Expression = { kind: 'text', text: begin.slice(begun.length) };
    const { content } = tag;
    if (isRecord(content) && content.type === 'any_text') {
      const words = ends.filter((end) => end !== '');
      const until = words.map((word) => ({ word, next: EMPTY }));
      const anything: Expression = { kind: 'anything', until, mayEnd: words.length < ends.length };
      return { kind: 'sequence', parts: [start, anything] };
    }
    const inner = await this.read(content, `${path}.content`, depth + 1);
    const end: Expression = {
      kind: 'choice',
      parts: ends.map((text): Expression => ({ kind: 'text', text })),
    };
    return { kind: 'sequence', parts: [start, inner, end] };
  }

  /** Words in which a trigger begins a tag. */
  async #triggered(format: Schema, path: string, depth: number): Promise<Expression> {
    const { triggers, tags } = format;
    if (
      !Array.isArray(triggers) ||
      !triggers.every((one) => typeof one === 'string' && one !== '')
    ) {
      return invalid(`${path}.triggers`, 'must be a list of texts, none empty');
    }
    if (!Array.isArray(tags)) return invalid(`${path}.tags`, 'must be a list of tags');
    const atLeastOne = format.at_least_one === true;
    const stopsAfterFirst = format.stop_after_first === true;
    const rest: Expression[][] = triggers.map(() => []);
    for (let i = 0; i < tags.length; i++) {
      const at = `${path}.tags[${i}]`;
      const begin = isRecord(tags[i]) ? textOf(tags[i], 'begin', at) : invalid(at, 'must be a tag');
      const trigger = triggers.findIndex((one) => begin.startsWith(one));
      rest[Math.max(0, trigger)].push(
        await this.#tag(tags[i], at, depth + 1, triggers[trigger] ?? triggers[0]),
      );
    }
    // After a tag come words again, and so on: the same expression, which so holds itself.
    const until: { word: string; next: Expression }[] = [];
    const words: Expression = { kind: 'anything', until, mayEnd: true };
    triggers.forEach((word: string, i) => {
      const tag: Expression = { kind: 'choice', parts: rest[i] };
      const next: Expression = stopsAfterFirst ? tag : { kind: 'sequence', parts: [tag, words] };
      until.push({ word, next });
    });
    return atLeastOne ? { kind: 'anything', until, mayEnd: false } : words;
  }

  async #separated(format: Schema, path: string, depth: number): Promise<Expression> {
    const parts = await this.#list(format, 'tags', path, depth);
    const separator = textOf(format, 'separator', path);
    const tag: Expression = { kind: 'choice', parts };
    const least = format.at_least_one === true ? 1 : 0;
    if (format.stop_after_first === true) return { kind: 'repeat', part: tag, min: least, max: 1 };
    const further: Expression = {
      kind: 'sequence',
      parts: [{ kind: 'text', text: separator }, tag],
    };
    const all: Expression = {
      kind: 'sequence',
      parts: [tag, { kind: 'repeat', part: further, min: 0, max: Infinity }],
    };
    return { kind: 'repeat', part: all, min: least, max: 1 };
  }
}

/** Where the caller finds what stands in a format: whoever put it there says so. */
function pathOf(format: Schema, own: string): string {
  return typeof format.path === 'string' ? format.path : own;
}

function textOf(format: Schema, key: string, path: string): string {
  const text = format[key];
  return typeof text === 'string' ? text : invalid(`${path}.${key}`, 'must be a text');
}

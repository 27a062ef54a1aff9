import { structuralFormat } from '../../engine/sampling';
import type { GrammarSpec } from '../../scheduler';
import type { Tool } from '../chat-types';
import type { ToolFormat } from './tool-format';

export interface ToolGrammarOptions {
  /** The answer is a call or more and nothing else; otherwise words, calls or both. */
  required: boolean;
  /** More than one call. */
  parallel: boolean;
  /** What an answer without calls is held to; default: any words. */
  otherwise?: GrammarSpec;
}

/** Calls beside another format: xgrammar 0.1.27 takes nothing that repeats for ever into a choice. */
const MAX_CALLS = 4;

/** A function without a schema takes any object. */
const ANY_OBJECT = { type: 'object', additionalProperties: true };

/**
 * A structural tag (xgrammar's format) that holds the answer to well-formed calls of these tools:
 * the names are theirs, the arguments follow their schemas.
 */
export function toolGrammar(
  format: ToolFormat,
  tools: readonly Tool[],
  { required, parallel, otherwise }: ToolGrammarOptions,
): GrammarSpec {
  const { begin, middle, end } = format.call;
  const tags = tools.map((tool) => ({
    type: 'tag',
    begin: begin + tool.function.name + middle,
    content: { type: 'json_schema', json_schema: tool.function.parameters ?? ANY_OBJECT },
    end,
  }));
  const calls = {
    type: 'tags_with_separator',
    tags,
    separator: format.separator,
    at_least_one: true,
    stop_after_first: !parallel,
  };
  const callsAndWords = {
    type: 'triggered_tags',
    triggers: [format.trigger],
    tags,
    stop_after_first: !parallel,
  };
  const optional =
    otherwise === undefined
      ? callsAndWords
      : oneOf([
          upTo(parallel ? MAX_CALLS : 1, oneOf(tags), format.separator),
          structuralFormat(otherwise),
        ]);
  return {
    type: 'structural_tag',
    tag: JSON.stringify({ type: 'structural_tag', format: required ? calls : optional }),
  };
}

function oneOf(elements: readonly unknown[]) {
  return { type: 'or', elements };
}

/** One to `most` of these. */
function upTo(most: number, format: unknown, separator: string): unknown {
  if (most === 1) return format;
  const more = sequence([
    { type: 'const_string', value: separator },
    upTo(most - 1, format, separator),
  ]);
  // An empty constant does not compile.
  return sequence([format, oneOf([{ type: 'grammar', grammar: 'root ::= ""' }, more])]);
}

function sequence(elements: readonly unknown[]) {
  return { type: 'sequence', elements };
}

import type { GrammarSpec } from '../../scheduler';
import type { Tool } from '../chat-types';
import type { ToolFormat } from './tool-format';

export interface ToolGrammarOptions {
  /** The answer is a call or more and nothing else; otherwise words, calls or both. */
  required: boolean;
  /** More than one call. */
  parallel: boolean;
}

/** A function without a schema takes any object. */
const ANY_OBJECT = { type: 'object', additionalProperties: true };

/**
 * A structural tag (xgrammar's format) that holds the answer to well-formed calls of these tools:
 * the names are theirs, the arguments follow their schemas.
 */
export function toolGrammar(
  format: ToolFormat,
  tools: readonly Tool[],
  { required, parallel }: ToolGrammarOptions,
): GrammarSpec {
  const { begin, middle, end } = format.call;
  const tags = tools.map((tool) => ({
    type: 'tag',
    begin: begin + tool.function.name + middle,
    content: { type: 'json_schema', json_schema: tool.function.parameters ?? ANY_OBJECT },
    end,
  }));
  const answer = required
    ? {
        type: 'tags_with_separator',
        tags,
        separator: format.separator,
        at_least_one: true,
        stop_after_first: !parallel,
      }
    : {
        type: 'triggered_tags',
        triggers: [format.trigger],
        tags,
        stop_after_first: !parallel,
      };
  return {
    type: 'structural_tag',
    tag: JSON.stringify({ type: 'structural_tag', format: answer }),
  };
}

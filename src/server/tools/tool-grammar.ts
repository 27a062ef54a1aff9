import { structuralFormat } from '../../engine/sampling/structural-format';
import type { GrammarSpec } from '../../scheduler';
import type { ToolFormat } from './tool-format';

/** A function that may be called. */
export interface Callable {
  name: string;
  /** The schema of its arguments: objects. */
  parameters: Record<string, unknown>;
  /** Where that stands in the request, for errors. */
  path: string;
}

export interface ToolGrammarOptions {
  /** The answer is a call or more and nothing else; otherwise words, calls or both. */
  required: boolean;
  /** More than one call. */
  parallel: boolean;
  /** What an answer that is no call is held to, all of it; without it, words and calls may mix. */
  otherwise?: GrammarSpec;
}

/**
 * A structural tag (xgrammar's format) that holds the answer to well-formed calls of these tools:
 * the names are theirs, the arguments follow their schemas.
 */
export function toolGrammar(
  format: ToolFormat,
  tools: readonly Callable[],
  { required, parallel, otherwise }: ToolGrammarOptions,
): GrammarSpec {
  const { begin, middle, end } = format.call;
  const tags = tools.map(({ name, parameters, path }) => ({
    type: 'tag',
    begin: begin + name + middle,
    content: { type: 'json_schema', json_schema: parameters, path },
    end,
  }));
  const calls = oneAfterAnother(tags, format.separator, parallel);
  const mixture = {
    type: 'triggered_tags',
    triggers: [format.trigger],
    tags,
    stop_after_first: !parallel,
  };
  const answer = required ? calls : otherwise ? either(calls, otherwise) : mixture;
  return {
    type: 'structural_tag',
    tag: JSON.stringify({ type: 'structural_tag', format: answer }),
  };
}

function oneAfterAnother(tags: readonly unknown[], separator: string, parallel: boolean) {
  return {
    type: 'tags_with_separator',
    tags,
    separator,
    at_least_one: true,
    stop_after_first: !parallel,
  };
}

/** Calls, or an answer in another format. */
function either(calls: unknown, otherwise: GrammarSpec) {
  return { type: 'or', elements: [calls, structuralFormat(otherwise)] };
}

/** The `tools` and `tool_choice` of a request, checked and made ready to constrain its answer. */
import { checkJsonSchema } from '../../engine/sampling';
import type { ConversationTemplate } from '../../engine/step-engine';
import { type GrammarSpec, TempoError } from '../../scheduler';
import type { Tool, ToolChoice } from '../chat-types';
import { ToolCallParser } from './tool-call-parser';
import { type ToolFormat, toolFormatOf } from './tool-format';
import { toolGrammar } from './tool-grammar';

export interface ToolRequest {
  tools?: readonly Tool[];
  /** Default: auto. */
  tool_choice?: ToolChoice;
  /** False: at most one call. Default true. */
  parallel_tool_calls?: boolean;
}

/** What a request's tools mean for its prompt, its sampling and its answer. */
export interface PreparedTools {
  format: ToolFormat;
  /** Joins the system message (or, in Llama's format, the first user message). */
  section: string;
  /**
   * Constrains the answer to calls or, unless one is required, to what it is otherwise held to (default:
   * any words). Where tool_choice is none, it is `otherwise` itself.
   */
  grammar(otherwise?: GrammarSpec): GrammarSpec | undefined;
  /** A new parser for each answer (each choice of n). */
  parser(newId?: () => string): ToolCallParser;
}

/** What OpenAI allows in a function's name. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * Checks a request's tools; undefined where it has none. Throws unknown_tool, invalid_schema (with the
 * schema's path) or invalid_request: call it before the request is queued.
 */
export function prepareTools(
  request: ToolRequest,
  template: Pick<ConversationTemplate, 'roles'>,
): PreparedTools | undefined {
  const {
    tools = [],
    tool_choice: choice = 'auto',
    parallel_tool_calls: parallel = true,
  } = request;
  if (tools.length === 0) {
    if (choice === 'required' || typeof choice === 'object') {
      throw new TempoError(
        'invalid_request',
        'tool_choice asks for a call, but there are no tools.',
        {
          param: 'tool_choice',
        },
      );
    }
    return undefined;
  }
  checkTools(tools);
  const format = toolFormatOf(template);
  const callable = callableTools(tools, choice);
  return {
    format,
    section: format.section(tools),
    grammar: (otherwise) =>
      callable.length === 0
        ? otherwise
        : toolGrammar(format, callable, {
            required: choice !== 'auto',
            parallel: parallel && typeof choice === 'string',
            otherwise,
          }),
    parser: (newId) => new ToolCallParser(callable.length === 0 ? undefined : format, newId),
  };
}

/** The tools that the answer may call. */
function callableTools(tools: readonly Tool[], choice: ToolChoice): readonly Tool[] {
  if (choice === 'none') return [];
  if (typeof choice === 'string') return tools;
  const { name } = choice.function;
  const chosen = tools.filter((tool) => tool.function.name === name);
  if (chosen.length === 0) {
    const names = tools.map((tool) => tool.function.name).join(', ');
    throw new TempoError('unknown_tool', `tool_choice names "${name}"; the tools are ${names}.`, {
      param: 'tool_choice.function.name',
    });
  }
  return chosen;
}

function checkTools(tools: readonly Tool[]): void {
  const names = new Set<string>();
  tools.forEach((tool, i) => {
    if (tool.type !== 'function') {
      throw new TempoError('invalid_request', 'Only tools of type "function" are known.', {
        param: `tools[${i}].type`,
      });
    }
    const { name, parameters } = tool.function;
    const param = `tools[${i}].function.name`;
    if (!NAME.test(name)) {
      throw new TempoError(
        'invalid_request',
        `A tool's name is 1 to 64 letters, digits, _ or -; "${name}" is not.`,
        { param },
      );
    }
    if (names.has(name)) {
      throw new TempoError('invalid_request', `There are two tools named "${name}".`, { param });
    }
    names.add(name);
    if (parameters !== undefined) {
      const path = `tools[${i}].function.parameters`;
      checkJsonSchema(parameters, path);
      if (parameters.type !== undefined && parameters.type !== 'object') {
        throw new TempoError('invalid_schema', `${path}.type must be "object".`, {
          param: `${path}.type`,
        });
      }
    }
  });
}

/** The `tools` and `tool_choice` of a request, checked and made ready to constrain its answer. */
import type { ConversationTemplate } from '../../engine/step-engine';
import { type GrammarSpec, TempoError } from '../../scheduler';
import type { Tool, ToolChoice } from '../chat-types';
import { jsonText } from '../validate/json-text';
import { CallsOrContent } from './calls-or-content';
import { ANY_OBJECT, objectsOnly } from './object-schema';
import { type AnswerParser, ToolCallParser } from './tool-call-parser';
import { type ToolFormat, toolFormatOf } from './tool-format';
import { type Callable, toolGrammar } from './tool-grammar';

export interface ToolRequest {
  tools?: readonly Tool[];
  /** Default: auto. */
  tool_choice?: ToolChoice;
  /** False: at most one call. Default true. */
  parallel_tool_calls?: boolean;
  /** What an answer that is no call is held to. */
  response_format?: GrammarSpec;
}

/** What a request's tools mean for its prompt, its sampling and its answer. */
export interface PreparedTools {
  format: ToolFormat;
  /** Joins the system message (or, in Llama's format, the first user message). */
  section: string;
  /** What the answer may call; empty where tool_choice is none. */
  callable: readonly Callable[];
  /** The answer is a call. */
  required: boolean;
  /** Constrains the answer; undefined where nothing can be called. */
  grammar: GrammarSpec | undefined;
  /** A new parser for each answer (each choice of n). */
  parser(): AnswerParser;
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
  const { tools = [], parallel_tool_calls: parallel = true, response_format: otherwise } = request;
  const choice = choiceOf(request.tool_choice ?? 'auto');
  if (tools.length === 0) {
    if (!choice.required && !choice.names?.size) return undefined;
    throw new TempoError(
      'invalid_request',
      'tool_choice asks for a call, but there are no tools.',
      { param: 'tool_choice' },
    );
  }
  const all = checkedTools(tools);
  for (const [name, param] of choice.names ?? []) {
    if (all.some((tool) => tool.name === name)) continue;
    const names = all.map((tool) => tool.name).join(', ');
    throw new TempoError('unknown_tool', `tool_choice names "${name}"; the tools are ${names}.`, {
      param,
    });
  }
  const { required } = choice;
  const callable = all.filter(({ name }) => choice.names?.has(name) ?? true);
  const format = toolFormatOf(template);
  const apart = otherwise !== undefined && callable.length > 0 && !required;
  if (apart && otherwise.type === 'structural_tag') {
    throw new TempoError(
      'invalid_request',
      "A structural tag says of the whole answer what it is. Describe the calls in it and leave tools out, or set tool_choice to 'none'.",
      { param: 'response_format' },
    );
  }
  return {
    format,
    section: format.section(tools),
    callable,
    required,
    grammar:
      callable.length === 0
        ? undefined
        : toolGrammar(format, callable, {
            required,
            parallel: parallel && !choice.single,
            otherwise,
          }),
    parser: () => {
      if (callable.length === 0) return new ToolCallParser(undefined);
      const parser = new ToolCallParser(format);
      return apart ? new CallsOrContent(parser, format, callable) : parser;
    },
  };
}

interface Choice {
  /** The tools that may be called, and where each is named; undefined for all. */
  names?: ReadonlyMap<string, string>;
  required: boolean;
  /** One call and no more. */
  single?: boolean;
}

function choiceOf(choice: ToolChoice): Choice {
  if (choice === 'none') return { names: new Map(), required: false };
  if (typeof choice === 'string') return { required: choice === 'required' };
  if (choice.type === 'function') {
    const names = new Map([[choice.function.name, 'tool_choice.function.name']]);
    return { names, required: true, single: true };
  }
  const { mode, tools } = choice.allowed_tools;
  const path = 'tool_choice.allowed_tools.tools';
  const names = new Map(
    tools.map((tool, i) => [tool.function.name, `${path}[${i}].function.name`] as const),
  );
  return { names, required: mode === 'required' };
}

/** Throws what is wrong with a name or a schema. */
function checkedTools(tools: readonly Tool[]): Callable[] {
  const names = new Set<string>();
  return tools.map((tool, i) => {
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
    const path = `tools[${i}].function.parameters`;
    if (parameters === undefined || parameters === null) {
      return { name, parameters: ANY_OBJECT, path };
    }
    jsonText(parameters, path);
    return { name, parameters: objectsOnly(parameters, path), path };
  });
}

/** How a model writes tool calls, and reads tools and their results. */
import type { ConversationTemplate } from '../../engine/step-engine';
import type { Tool } from '../chat-types';

export interface ToolFormat {
  name: 'hermes' | 'llama';
  /** What comes before a call's name, between name and arguments, after the arguments. */
  call: { begin: string; middle: string; end: string };
  /** Between calls of one answer. */
  separator: string;
  /** Text that starts a call; it cannot be part of an answer in words. */
  trigger: string;
  /** Where the tools are described. */
  place: 'system' | 'first user message';
  /** The tools, described to the model. */
  section(tools: readonly Tool[]): string;
  /** A tool's result, as its message's text. */
  result(content: string): string;
}

/**
 * Qwen 2.5 and 3 and the Hermes models, and the default: a function-calling section after the system
 * message, calls as `<tool_call>\n{"name": …, "arguments": …}\n</tool_call>`, results as
 * `<tool_response>`. The words are those of Qwen2.5's chat template.
 */
const HERMES: ToolFormat = {
  name: 'hermes',
  call: {
    begin: '<tool_call>\n{"name": "',
    middle: '", "arguments": ',
    end: '}\n</tool_call>',
  },
  separator: '\n',
  trigger: '<tool_call>',
  place: 'system',
  section: (tools) =>
    [
      '# Tools',
      '',
      'You may call one or more functions to assist with the user query.',
      '',
      'You are provided with function signatures within <tools></tools> XML tags:',
      '<tools>',
      ...tools.map((tool) => JSON.stringify(tool)),
      '</tools>',
      '',
      'For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:',
      '<tool_call>',
      '{"name": <function-name>, "arguments": <args-json-object>}',
      '</tool_call>',
    ].join('\n'),
  result: (content) => `<tool_response>\n${content}\n</tool_response>`,
};

/**
 * Llama 3.1 and later: the tools before the first user message, a call as
 * `{"name": …, "parameters": …}`, results in the role `ipython`. The words are those of
 * Llama-3.1-Instruct's chat template; several calls are parted by "; ", as Llama 3.2 was taught. An
 * answer in words cannot hold `{"name": "` then: that begins a call.
 */
const LLAMA: ToolFormat = {
  name: 'llama',
  call: { begin: '{"name": "', middle: '", "parameters": ', end: '}' },
  separator: '; ',
  trigger: '{"name": "',
  place: 'first user message',
  section: (tools) =>
    [
      'Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given prompt.',
      '',
      'Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}. Do not use variables.',
      '',
      ...tools.map((tool) => `${JSON.stringify(tool, null, 4)}\n`),
    ].join('\n'),
  result: (content) => content,
};

/** The format that a model was taught, by its chat template: `ipython` is Llama's role for tools. */
export function toolFormatOf(template: Pick<ConversationTemplate, 'roles'>): ToolFormat {
  return template.roles.tool?.includes('ipython') ? LLAMA : HERMES;
}

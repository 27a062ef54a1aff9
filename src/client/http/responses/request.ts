/** A response's request as a chat request. */
import { type Fields, isFields } from '../call';
import { Problem } from '../problem';
import { conversationOf } from './input';

/** What of a request its response is told. */
export interface ResponseSettings {
  /** Fields that the response repeats. */
  echo: Fields;
  /** The reasoning is to be given as a summary. */
  summary: boolean;
  /** Output items are to be kept for later reference. */
  keep: boolean;
}

export interface ChatOrder {
  params: Fields;
  settings: ResponseSettings;
  /** What the client calls the field that chat calls `param`. */
  clientParam(param: string): string;
}

/** Passed on to chat, which has them by the same names: heeds them, or says that they are ignored. */
const PASSED: readonly string[] = [
  'model',
  'temperature',
  'top_p',
  'parallel_tool_calls',
  'metadata',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'user',
  // What chat has beyond OpenAI's responses.
  'top_k',
  'seed',
  'stop',
  'frequency_penalty',
  'presence_penalty',
  'repetition_penalty',
  'logit_bias',
  'ignore_eos',
  'extra_body',
  'simulate',
  'slo',
  'stage',
];

/** Read here. */
const READ: readonly string[] = [
  'input',
  'instructions',
  'max_output_tokens',
  'top_logprobs',
  'include',
  'text',
  'tools',
  'tool_choice',
  'reasoning',
  'stream',
];

/** They ask for less than there is: what does not fit is refused, and no tools are run here. */
const NEEDLESS: readonly string[] = ['truncation', 'max_tool_calls', 'stream_options'];

/** What only a server that keeps conversations can do, and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  previous_response_id: 'Responses are not kept here. Send the whole conversation as input.',
  conversation: 'Conversations are not kept here. Send the whole of it as input.',
  background: 'Responses are not kept here, so none can be made in the background. Stream it.',
  prompt: 'Prompt templates are not kept here. Send the text as input and instructions.',
  context_management: 'Conversations are not shortened here. Send what is to be read.',
};

/** Reads a body that `partTempo` has been through. Throws a problem that names the field. */
export function chatOrderOf(body: Fields, recall: (id: string) => unknown): ChatOrder {
  for (const [name, value] of Object.entries(body)) {
    if (!isSet(value) || [PASSED, READ, NEEDLESS].some((names) => names.includes(name))) continue;
    const sentence = REFUSED[name] ?? `A response has no field ${name}. Leave it out.`;
    if (value !== false || !(name in REFUSED)) throw bad(name, sentence);
  }
  const { messages, places } = conversationOf(body.input, body.instructions, recall);
  const { effort, summary } = fieldsOf(body, 'reasoning');
  const { format, verbosity } = fieldsOf(body, 'text');
  const params: Fields = {
    messages,
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: body.max_output_tokens,
    reasoning_effort: effort,
    response_format: formatOf(format),
    verbosity,
    ...toolsOf(body),
    ...logprobsOf(body),
  };
  for (const name of PASSED) if (isSet(body[name])) params[name] = body[name];
  for (const [name, value] of Object.entries(params)) if (!isSet(value)) delete params[name];
  return {
    params,
    settings: { echo: echoOf(body), summary: isSet(summary), keep: body.store !== false },
    clientParam: (param) => clientParam(param, places),
  };
}

function toolsOf({ tools, tool_choice: choice }: Fields): Fields {
  if (isSet(tools) && !Array.isArray(tools)) throw bad('tools', 'tools must be a list.');
  const list: unknown[] | undefined = Array.isArray(tools) ? tools : undefined;
  const given = list?.map((tool, i) => functionOf(tool, `tools[${i}]`));
  return { tools: given, tool_choice: isFields(choice) ? choiceOf(choice) : choice };
}

function choiceOf({ type, name, mode, tools }: Fields): Fields {
  const named = (one: unknown) => ({
    type: 'function',
    function: { name: isFields(one) ? one.name : one },
  });
  switch (type) {
    case 'function':
      return named({ name });
    case 'allowed_tools': {
      const allowed = Array.isArray(tools) ? tools.map(named) : tools;
      return { type, allowed_tools: { mode, tools: allowed } };
    }
    default:
      throw bad(
        'tool_choice',
        'tool_choice must be none, auto, required, a function or allowed_tools.',
      );
  }
}

function functionOf(tool: unknown, at: string) {
  if (!isFields(tool)) throw bad(at, `${at} must be { type: 'function', name, parameters }.`);
  const { type, name, description, parameters } = tool;
  if (type !== 'function') {
    throw bad(
      `${at}.type`,
      `${at} is "${type}", a tool that OpenAI's servers run. Give a function instead, and run it yourself.`,
    );
  }
  return {
    type,
    function: {
      name,
      description: description ?? undefined,
      parameters: parameters ?? undefined,
    },
  };
}

function formatOf(format: unknown): unknown {
  if (!isFields(format) || format.type !== 'json_schema') return format;
  const { name, schema, strict, description } = format;
  return {
    type: 'json_schema',
    json_schema: {
      name,
      schema,
      ...(isSet(strict) && { strict }),
      ...(isSet(description) && { description }),
    },
  };
}

function logprobsOf({ include, top_logprobs: top }: Fields): Fields {
  const asked = Array.isArray(include) && include.includes('message.output_text.logprobs');
  if (!asked && !isSet(top)) return {};
  return { logprobs: true, top_logprobs: top };
}

/** What OpenAI's response objects repeat of their requests. */
function echoOf(body: Fields): Fields {
  return {
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    reasoning: { effort: null, summary: null, ...fieldsOf(body, 'reasoning') },
    temperature: body.temperature ?? null,
    text: { format: { type: 'text' }, ...fieldsOf(body, 'text') },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? null,
    truncation: 'disabled',
  };
}

/** A field that is an object, or is not there. */
function fieldsOf(body: Fields, name: string): Fields {
  const value = body[name];
  if (!isSet(value)) return {};
  if (isFields(value)) return value;
  throw bad(name, `${name} must be an object.`);
}

function clientParam(param: string, places: readonly string[]): string {
  const [, index, rest = ''] = /^messages\[(\d+)\](.*)$/.exec(param) ?? [];
  if (index !== undefined) {
    const place = places[Number(index)] ?? 'input';
    return place.startsWith('input[') ? place + rest.replace('.tool_call_id', '.call_id') : place;
  }
  return param
    .replace(/^messages$/, 'input')
    .replace(/^max_completion_tokens$/, 'max_output_tokens')
    .replace(/^reasoning_effort$/, 'reasoning.effort')
    .replace(/^response_format(\.json_schema)?/, 'text.format')
    .replace(/^(tools\[\d+\])\.function/, '$1')
    .replace(/^tool_choice(\.allowed_tools)?/, 'tool_choice')
    .replace(/^(tool_choice(\.tools\[\d+\])?)\.function/, '$1');
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function bad(param: string, sentence: string): Problem {
  return new Problem(400, 'invalid_request', sentence, { param });
}

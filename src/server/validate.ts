/**
 * What is wrong with a chat request, before anything is queued for it. Callers need not be
 * TypeScript, so nothing is taken for granted. Ranges are the OpenAI API's.
 */
import { TempoError, validateSlo } from '../scheduler';
import type { ChatCompletionParams } from './chat-types';
import type { Submission } from './server-types';

const ROLES = ['system', 'user', 'assistant', 'tool'];
const TOOL_CHOICES: unknown[] = ['none', 'auto', 'required'];
const RESPONSE_FORMATS = ['text', 'json_object', 'json_schema', 'regex', 'grammar'];
const MAX_CHOICES = 128;
const MAX_STOP_STRINGS = 16;
const MAX_TOOLS = 128;
const MAX_LABEL = 64;
/** More output tokens than any context window holds: a mistake, not a wish. */
const MAX_TOKENS = 2 ** 31 - 1;

/** Throws a typed error that names the field. */
export function checkSubmission({ id, app, params, slo }: Submission): void {
  expect(
    isLabel(id, 256) && !id.includes('#'), // `#` parts it from the number of a further choice
    'id',
    'id must be a string of 1 to 256 characters without #',
    id,
  );
  expect(isLabel(app), 'app', `app must be a name of 1 to ${MAX_LABEL} characters`, app);
  validateSlo(slo);
  checkParams(params);
}

/** What is wrong with a request, whoever sends it. */
export function checkParams(params: ChatCompletionParams): void {
  expect(isRecord(params), 'params', 'the request must be an object with messages', params);
  if (params.slo !== undefined) validateSlo(params.slo);
  checkMessages(params.messages);
  const tokens = (n: number) => Number.isInteger(n) && n >= 1 && n <= MAX_TOKENS;
  checkNumber(params, 'max_tokens', tokens, 'a whole number of at least 1');
  checkNumber(params, 'max_completion_tokens', tokens, 'a whole number of at least 1');
  checkNumber(params, 'temperature', (n) => n >= 0 && n <= 2, 'between 0 and 2');
  checkNumber(params, 'top_p', (n) => n > 0 && n <= 1, 'above 0 and at most 1');
  const penalty = (n: number) => n >= -2 && n <= 2;
  checkNumber(
    params,
    'top_k',
    (n) => Number.isInteger(n) && n >= 1,
    'a whole number of at least 1',
  );
  checkNumber(params, 'frequency_penalty', penalty, 'between -2 and 2');
  checkNumber(params, 'presence_penalty', penalty, 'between -2 and 2');
  checkNumber(params, 'repetition_penalty', (n) => n > 0 && n <= 10, 'above 0 and at most 10');
  const count = (n: number) => Number.isInteger(n) && n >= 1 && n <= MAX_CHOICES;
  checkNumber(params, 'n', count, `a whole number from 1 to ${MAX_CHOICES}`);
  checkNumber(params, 'seed', (n) => Number.isSafeInteger(n), 'a whole number');
  const top = (n: number) => Number.isInteger(n) && n >= 0 && n <= 20;
  checkNumber(params, 'top_logprobs', top, 'a whole number from 0 to 20');
  checkBoolean(params, 'stream');
  checkBoolean(params, 'logprobs');
  checkBoolean(params, 'ignore_eos');
  checkBoolean(params, 'parallel_tool_calls');
  checkBoolean(params, 'continue_final_message');
  expect(
    (params.top_logprobs ?? 0) === 0 || params.logprobs === true,
    'top_logprobs',
    'top_logprobs needs logprobs: true',
    params.top_logprobs,
  );
  checkLogitBias(params.logit_bias);
  checkStop(params.stop);
  checkTools(params);
  checkResponseFormat(params.response_format);
  const thinking = params.extra_body?.enable_thinking ?? true;
  expect(
    typeof thinking === 'boolean',
    'extra_body.enable_thinking',
    'extra_body.enable_thinking must be true or false',
    thinking,
  );
  expect(
    params.stage === undefined || isLabel(params.stage),
    'stage',
    `stage must be a label of 1 to ${MAX_LABEL} characters`,
    params.stage,
  );
  checkSimulated(params.simulate);
}

function checkMessages(messages: unknown): void {
  expect(
    Array.isArray(messages) && messages.length > 0,
    'messages',
    'messages must hold at least one message',
    messages,
  );
  const called = new Set<string>();
  messages.forEach((message: unknown, i) => {
    const at = `messages[${i}]`;
    expect(isRecord(message), at, `${at} must be an object with role and content`, message);
    const { role, content } = message;
    expect(
      typeof role === 'string' && ROLES.includes(role),
      `${at}.role`,
      `${at}.role must be one of ${ROLES.join(', ')}`,
      role,
    );
    if (role === 'assistant') checkCalls(message.tool_calls, at, called);
    const callsOnly = role === 'assistant' && Array.isArray(message.tool_calls);
    expect(
      typeof content === 'string' || (callsOnly && (content === null || content === undefined)),
      `${at}.content`,
      `${at}.content must be a string (this server reads no other parts)`,
      content,
    );
    if (role === 'tool') {
      expect(
        typeof message.tool_call_id === 'string' && called.has(message.tool_call_id),
        `${at}.tool_call_id`,
        `${at}.tool_call_id must be the id of a tool call in an assistant message before it`,
        message.tool_call_id,
      );
    }
  });
}

function checkCalls(calls: unknown, at: string, called: Set<string>): void {
  if (calls === undefined || calls === null) return;
  const param = `${at}.tool_calls`;
  expect(Array.isArray(calls) && calls.length > 0, param, `${param} must hold a call`, calls);
  calls.forEach((call: unknown, i) => {
    const isCall =
      isRecord(call) &&
      typeof call.id === 'string' &&
      isRecord(call.function) &&
      typeof call.function.name === 'string' &&
      typeof call.function.arguments === 'string';
    expect(
      isCall,
      `${param}[${i}]`,
      `${param}[${i}] must be { id, type: 'function', function: { name, arguments } }`,
      call,
    );
    called.add(String(call.id));
  });
}

function checkLogitBias(bias: unknown): void {
  if (bias === undefined || bias === null) return;
  expect(isRecord(bias), 'logit_bias', 'logit_bias must map token ids to numbers', bias);
  for (const [token, value] of Object.entries(bias)) {
    const param = `logit_bias[${token}]`;
    expect(
      typeof value === 'number' && value >= -100 && value <= 100,
      param,
      `${param} must be between -100 and 100`,
      value,
    );
  }
}

function checkStop(stop: unknown): void {
  if (stop === undefined || stop === null) return;
  const stops: unknown = typeof stop === 'string' ? [stop] : stop;
  const isList =
    Array.isArray(stops) &&
    stops.length <= MAX_STOP_STRINGS &&
    stops.every((text) => typeof text === 'string' && text !== '');
  expect(isList, 'stop', `stop must be up to ${MAX_STOP_STRINGS} strings, none empty`, stop);
}

/** Their shape; what the names and schemas say is checked where tools are made ready. */
function checkTools({ tools, tool_choice: choice }: ChatCompletionParams): void {
  if (tools !== undefined) {
    expect(
      Array.isArray(tools) && tools.length <= MAX_TOOLS,
      'tools',
      `tools must be a list of at most ${MAX_TOOLS}`,
      tools,
    );
    tools.forEach((tool: unknown, i) => {
      const spec = isRecord(tool) ? tool.function : undefined;
      const { name, parameters }: Record<string, unknown> = isRecord(spec) ? spec : {};
      expect(
        typeof name === 'string' && (parameters === undefined || isRecord(parameters)),
        `tools[${i}].function`,
        `tools[${i}] must be { type: 'function', function: { name, parameters } }, parameters a JSON schema`,
        tool,
      );
    });
  }
  const named = isRecord(choice) && isRecord(choice.function) ? choice.function.name : choice;
  expect(
    choice === undefined ||
      (isRecord(choice) ? typeof named === 'string' : TOOL_CHOICES.includes(choice)),
    'tool_choice',
    "tool_choice must be 'none', 'auto', 'required' or { type: 'function', function: { name } }",
    choice,
  );
}

function checkResponseFormat(format: unknown): void {
  if (format === undefined) return;
  const {
    type,
    json_schema: wrapped,
    pattern,
    grammar,
  }: Record<string, unknown> = isRecord(format) ? format : {};
  expect(
    typeof type === 'string' && RESPONSE_FORMATS.includes(type),
    'response_format.type',
    `response_format.type must be one of ${RESPONSE_FORMATS.join(', ')}`,
    type,
  );
  expect(
    type !== 'json_schema' || (isRecord(wrapped) && isRecord(wrapped.schema)),
    'response_format.json_schema',
    'response_format.json_schema must be { name, schema }, schema an object',
    wrapped,
  );
  expect(
    type !== 'regex' || (typeof pattern === 'string' && pattern !== ''),
    'response_format.pattern',
    'response_format.pattern must be a regular expression',
    pattern,
  );
  expect(
    type !== 'grammar' || (typeof grammar === 'string' && grammar !== ''),
    'response_format.grammar',
    'response_format.grammar must be a grammar in EBNF',
    grammar,
  );
}

function checkSimulated(simulate: unknown): void {
  if (simulate === undefined) return;
  expect(isRecord(simulate), 'simulate', 'simulate must be an object', simulate);
  const { content, tool_calls: calls } = simulate;
  expect(
    content === undefined || typeof content === 'string',
    'simulate.content',
    'simulate.content must be a string',
    content,
  );
  const areCalls =
    calls === undefined ||
    (Array.isArray(calls) &&
      calls.every(
        (call) => isRecord(call) && typeof call.name === 'string' && isRecord(call.arguments),
      ));
  expect(
    areCalls,
    'simulate.tool_calls',
    'simulate.tool_calls must be a list of { name, arguments }',
    calls,
  );
}

function checkNumber(
  params: ChatCompletionParams,
  name: keyof ChatCompletionParams,
  isSane: (value: number) => boolean,
  words: string,
): void {
  const value = params[name];
  if (value === undefined || value === null) return;
  expect(typeof value === 'number' && isSane(value), name, `${name} must be ${words}`, value);
}

function checkBoolean(params: ChatCompletionParams, name: keyof ChatCompletionParams): void {
  const value = params[name];
  if (value === undefined || value === null) return;
  expect(typeof value === 'boolean', name, `${name} must be true or false`, value);
}

function expect(holds: boolean, param: string, sentence: string, got: unknown): asserts holds {
  if (!holds) throw new TempoError('invalid_request', `${sentence}; got ${show(got)}.`, { param });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLabel(value: unknown, longest = MAX_LABEL): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= longest;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

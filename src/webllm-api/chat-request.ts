/** WebLLM's requests as Tempo's. */
import type { ChatCompletionParams, ChatMessage, TextCompletionParams } from '../client';
import type { ChatCompletionRequestBase } from './chat-types';
import type { CompletionCreateParamsBase } from './completion-types';
import { WebLLMError } from './errors';
import { warnOnce } from './log';

/** Fields that are for the engine, and no part of what Tempo is asked. */
type Own = 'model' | 'signal' | 'stream' | 'stream_options';

/** What WebLLM and Tempo know of a request; WebLLM takes no notice of anything else, so neither is it here. */
const CHAT_FIELDS = new Set([
  ...['messages', 'model', 'stream', 'stream_options', 'n', 'seed', 'stop', 'signal'],
  ...['frequency_penalty', 'presence_penalty', 'repetition_penalty', 'logit_bias'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'top_k', 'ignore_eos'],
  ...['logprobs', 'top_logprobs', 'tools', 'tool_choice', 'parallel_tool_calls'],
  ...['response_format', 'reasoning_effort', 'continue_final_message', 'extra_body'],
  ...['slo', 'stage', 'simulate'],
]);
const TEXT_FIELDS = new Set([
  ...['prompt', 'echo', 'model', 'stream', 'stream_options', 'n', 'best_of', 'seed', 'stop'],
  ...[
    'frequency_penalty',
    'presence_penalty',
    'repetition_penalty',
    'logit_bias',
    'suffix',
    'user',
  ],
  ...['max_tokens', 'temperature', 'top_p', 'top_k', 'ignore_eos', 'logprobs', 'top_logprobs'],
  ...['extra_body', 'slo', 'stage', 'simulate', 'signal'],
]);

/**
 * A chat request as Tempo is asked it: streamed, whether it was meant to be or not, its tokens told.
 * Throws `MessageOrderError` where nobody asks anything.
 */
export function chatParams(
  request: ChatCompletionRequestBase,
): ChatCompletionParams & { stream: true } {
  checkRequest(request, 'messages');
  const { extra_body: extra, ...params } = known(request, CHAT_FIELDS);
  // What is in it the server reads field by field, and refuses by name.
  const { messages, ...rest } = params as ChatCompletionParams;
  return {
    ...rest,
    messages: messagesOf(messages, rest.continue_final_message === true),
    extra_body: { enable_thinking: extra?.enable_thinking },
    separate_reasoning: false,
    return_token_ids: true,
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** A request for a text, the same way. */
export function textParams(
  request: CompletionCreateParamsBase,
): TextCompletionParams & { stream: true } {
  checkRequest(request, 'prompt');
  const resumable: unknown = Reflect.get(request.extra_body ?? {}, 'resumable') ?? undefined;
  if (resumable !== undefined) {
    throw new WebLLMError(
      'UnsupportedFieldsError',
      'unsupported',
      'Only chat completions can be kept and gone on with. Leave extra_body.resumable out.',
      { param: 'extra_body.resumable' },
    );
  }
  const {
    echo: _,
    extra_body: __,
    logprobs,
    top_logprobs: top,
    ...params
  } = known(request, TEXT_FIELDS);
  return {
    ...params,
    logprobs: logprobs ? (top ?? 0) : undefined,
    return_token_ids: true,
    stream: true,
    stream_options: { include_usage: true },
  };
}

function checkRequest(request: unknown, param: string): void {
  if (typeof request === 'object' && request !== null) return;
  throw new WebLLMError('TypeError', 'invalid_request', `A request is an object with ${param}.`, {
    param,
  });
}

/** The fields that mean something, but for those that are the engine's own. */
function known<T extends object>(request: T, fields: ReadonlySet<string>): Omit<T, Own> {
  const { model, signal, stream, stream_options, ...rest }: T & Partial<Record<Own, unknown>> =
    request;
  for (const name of Object.keys(rest)) {
    if (fields.has(name)) continue;
    warnOnce(`${name} is ignored: WebLLM knows no such field of a request.`);
    Reflect.deleteProperty(rest, name);
  }
  return rest;
}

function messagesOf(messages: readonly ChatMessage[], goesOn: boolean): readonly ChatMessage[] {
  if (!Array.isArray(messages)) return messages; // it is refused where requests are read
  const list: readonly ChatMessage[] = messages;
  const role = list.at(-1)?.role;
  if (list.length > 0 && role !== 'user' && role !== 'tool' && !goesOn) {
    throw new WebLLMError(
      'MessageOrderError',
      'invalid_request',
      'The last message must be from `user` or `tool`. To have the assistant go on with its own, set continue_final_message: true.',
      { param: `messages[${list.length - 1}].role` },
    );
  }
  const calls = new Set<unknown>();
  return list.map((message) => {
    if (message?.role === 'assistant') for (const { id } of message.tool_calls ?? []) calls.add(id);
    // Where prompts describe tools in words, the calls are in the text, and have no ids.
    if (message?.role !== 'tool' || calls.has(message.tool_call_id)) return message;
    return { role: 'tool', content: message.content };
  });
}

import {
  type ChatCompletion,
  type ChatCompletionChunk,
  TempoError,
  type ToolCall,
  type Usage,
} from '../worker/protocol';

type Choice = ChatCompletion['choices'][number];
type CallDelta = NonNullable<ChatCompletionChunk['choices'][number]['delta']['tool_calls']>[number];

/**
 * The answer that a stream's chunks make. Throws `aborted` where they are not all there is: the last brings
 * the usage. Loaded when an answer is asked for.
 */
export function assemble(
  chunks: readonly ChatCompletionChunk[],
  { id, created, model, simulated }: Omit<ChatCompletion, 'object' | 'choices' | 'usage'>,
  usage: Usage | undefined,
): ChatCompletion {
  if (usage === undefined) {
    throw new TempoError('aborted', 'The request was aborted before its answer was complete.');
  }
  const choices = new Map<number, Choice>();
  for (const part of chunks.flatMap((chunk) => chunk.choices)) {
    const choice = choices.get(part.index) ?? newChoice(part.index);
    choices.set(part.index, choice);
    addPart(choice, part);
  }
  const sorted = [...choices.values()].sort((a, b) => a.index - b.index);
  return { id, object: 'chat.completion', created, model, simulated, choices: sorted, usage };
}

function newChoice(index: number): Choice {
  return {
    index,
    message: { role: 'assistant', content: null },
    logprobs: null,
    finish_reason: 'abort',
  };
}

function addPart(choice: Choice, part: ChatCompletionChunk['choices'][number]): void {
  const { message } = choice;
  const { content, reasoning_content: reasoning, tool_calls: calls = [] } = part.delta;
  if (content !== undefined) message.content = (message.content ?? '') + content;
  if (reasoning !== undefined) {
    message.reasoning_content = (message.reasoning_content ?? '') + reasoning;
  }
  for (const call of calls) addCall(message, call);
  if (part.logprobs !== null) {
    choice.logprobs ??= { ...part.logprobs, content: [] };
    choice.logprobs.content.push(...part.logprobs.content);
  }
  if (part.finish_reason !== null) {
    choice.finish_reason = part.finish_reason;
    // An answer of nothing is an empty text, unless it is calls.
    if (message.tool_calls === undefined) message.content ??= '';
  }
}

function addCall(message: Choice['message'], delta: CallDelta): void {
  message.tool_calls ??= [];
  const fresh: ToolCall = { id: '', type: 'function', function: { name: '', arguments: '' } };
  message.tool_calls[delta.index] ??= fresh;
  const call = message.tool_calls[delta.index];
  call.id += delta.id ?? '';
  call.function.name += delta.function?.name ?? '';
  call.function.arguments += delta.function?.arguments ?? '';
}

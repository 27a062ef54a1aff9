import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4ResponseMetadata,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider';
import type { ChatCompletion, ChatFinishReason, ChoiceLogprobs, Usage } from '../client';

/** A whole answer's parts, in the order in which a model gives them. */
export function contentOf(
  { message }: ChatCompletion['choices'][number],
  answerTool: string | undefined,
): LanguageModelV4Content[] {
  const content: LanguageModelV4Content[] = [];
  if (message.reasoning_content)
    content.push({ type: 'reasoning', text: message.reasoning_content });
  if (message.content) content.push({ type: 'text', text: message.content });
  for (const { id, function: called } of message.tool_calls ?? []) {
    content.push(
      called.name === answerTool
        ? { type: 'text', text: called.arguments }
        : { type: 'tool-call', toolCallId: id, toolName: called.name, input: called.arguments },
    );
  }
  return content;
}

const UNIFIED: Record<ChatFinishReason, LanguageModelV4FinishReason['unified']> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  abort: 'other',
};

/** An answer that only looks like a tool call is one that simply ended. */
export function finishReasonOf(
  raw: ChatFinishReason,
  callsTools: boolean,
): LanguageModelV4FinishReason {
  return { unified: raw === 'tool_calls' && !callsTools ? 'stop' : UNIFIED[raw], raw };
}

/** How many tokens the reasoning took is known where there was none, or the server counts them. */
export function usageOf(usage: CountedUsage, reasoned: boolean): LanguageModelV4Usage {
  const { prompt_tokens: input, completion_tokens: output, prompt_tokens_details, extra } = usage;
  const cached = prompt_tokens_details.cached_tokens;
  const counted = usage.completion_tokens_details?.reasoning_tokens;
  const reasoning = counted ?? (reasoned ? undefined : 0);
  return {
    inputTokens: {
      total: input,
      noCache: input - cached,
      cacheRead: cached,
      cacheWrite: undefined,
    },
    outputTokens: {
      total: output,
      text: reasoning === undefined ? undefined : output - reasoning,
      reasoning,
    },
    raw: {
      ...usage,
      prompt_tokens_details: { ...prompt_tokens_details },
      extra: { ...extra },
    },
  };
}

type CountedUsage = Usage & { completion_tokens_details?: { reasoning_tokens?: number } };

/** `providerMetadata.tempo`: how the request fared, times in ms, and whether the text is made up. */
export function metadataOf(
  { extra }: Usage,
  simulated: boolean,
  logprobs: ChoiceLogprobs['content'] = [],
): SharedV4ProviderMetadata {
  return { tempo: { ...extra, simulated, ...(logprobs.length > 0 && { logprobs }) } };
}

export function responseOf({
  id,
  created,
  model,
}: Pick<ChatCompletion, 'id' | 'created' | 'model'>): LanguageModelV4ResponseMetadata {
  return { id, timestamp: new Date(created * 1000), modelId: model };
}

import type { LanguageModelV4CallOptions, SharedV4Warning } from '@ai-sdk/provider';
import type { ChatCompletionParams } from '../client';
import { answerFormat } from './answer-format';
import { type Message, messagesOf } from './prompt';
import type { GivenOptions } from './provider-options';

/** A call as Tempo takes it. */
export interface PreparedRequest {
  params: Omit<ChatCompletionParams, 'stream' | 'stream_options'>;
  /** What of the call is not done, or not just as it says. */
  warnings: SharedV4Warning[];
  /** The tool whose call is the answer itself, in JSON. */
  answerTool?: string;
}

/** A call's options as a request to the model of this id. Throws the AI SDK's errors for what Tempo has not. */
export function prepareRequest(
  model: string | undefined,
  options: LanguageModelV4CallOptions,
  { app: _app, program: _program, enable_thinking, ...others }: GivenOptions,
): PreparedRequest {
  const warnings: SharedV4Warning[] = [];
  const { params, instruction, answerTool } = answerFormat(options, warnings);
  const messages = instructed(messagesOf(options.prompt, warnings), instruction);
  const thinking = enable_thinking ?? thinkingOf(options.reasoning, warnings);
  const { stopSequences: stop } = options;
  return {
    params: onlySet({
      model,
      // Parts other than text are the server's to take or to refuse.
      messages: messages as ChatCompletionParams['messages'],
      max_tokens: options.maxOutputTokens,
      temperature: options.temperature,
      top_p: options.topP,
      top_k: options.topK,
      frequency_penalty: options.frequencyPenalty,
      presence_penalty: options.presencePenalty,
      seed: options.seed,
      stop: stop?.length ? stop : undefined,
      continue_final_message: isBegun(messages) || undefined,
      extra_body: thinking === undefined ? undefined : { enable_thinking: thinking },
      ...params,
      ...others,
    }),
    warnings,
    answerTool,
  };
}

/** The instruction joins the system message. */
function instructed(messages: Message[], instruction: string | undefined): Message[] {
  if (instruction === undefined) return messages;
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: instruction }, ...messages];
  return [{ role: 'system', content: `${first.content}\n\n${instruction}` }, ...rest];
}

/** A conversation that ends with the answer's beginning: what comes is the rest of it. */
function isBegun(messages: readonly Message[]): boolean {
  const last = messages.at(-1);
  return last?.role === 'assistant' && last.tool_calls === undefined;
}

/** Models think or do not; how much is their own affair. */
function thinkingOf(
  reasoning: LanguageModelV4CallOptions['reasoning'],
  warnings: SharedV4Warning[],
): boolean | undefined {
  if (!isSet(reasoning) || reasoning === 'provider-default') return undefined;
  if (reasoning === 'none') return false;
  warnings.push({
    type: 'compatibility',
    feature: 'reasoning',
    details: `A thinking model thinks as much as it does: there are no levels such as "${reasoning}".`,
  });
  return true;
}

function onlySet<T extends object>(value: T): T {
  for (const [key, field] of Object.entries(value)) {
    if (!isSet(field)) Reflect.deleteProperty(value, key);
  }
  return value;
}

/** Callers need not be TypeScript: null is no value either. */
function isSet<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

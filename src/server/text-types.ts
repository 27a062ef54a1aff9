/**
 * The OpenAI API's text completion, as far as Tempo serves it
 * (platform.openai.com/docs/api-reference/completions), and what Tempo adds to it.
 */
import type { ChatCompletionParams, Usage } from './chat-types';

/** What a text completion shares with a chat completion. */
type SharedParams = Pick<
  ChatCompletionParams,
  | 'model'
  | 'stream'
  | 'temperature'
  | 'top_p'
  | 'top_k'
  | 'frequency_penalty'
  | 'presence_penalty'
  | 'repetition_penalty'
  | 'logit_bias'
  | 'n'
  | 'seed'
  | 'stop'
  | 'ignore_eos'
  | 'return_token_ids'
  | 'slo'
  | 'stage'
>;

/** A text to go on with. No chat template is applied. */
export interface TextCompletionParams extends SharedParams {
  /**
   * One text, or one list of token ids; either may be wrapped in a list of one. It is fed as it stands,
   * as in WebLLM: a model that wants a token for the beginning has to be given it.
   */
  prompt: string | readonly [string] | readonly number[] | readonly [readonly number[]];
  /** Begin the answer with the prompt. Not together with logprobs. */
  echo?: boolean | null;
  stream_options?: { include_usage?: boolean | null } | null;
  /** Default: until the model ends the text, or the context window is full (OpenAI: 16). */
  max_tokens?: number | null;
  /** How many of the likeliest tokens to tell beside each drawn one, 0 to 5. */
  logprobs?: number | null;

  // What Tempo adds.
  /** What a simulated engine is to go on with. Real engines ignore it. */
  simulate?: { content?: string | null } | null;
}

/** Lists of the same length, one entry a token. */
export interface TextLogprobs {
  tokens: string[];
  token_logprobs: number[];
  /** The likeliest tokens and their log probabilities; empty where none were asked for. */
  top_logprobs: Record<string, number>[];
  /** Where each token begins in the choice's text, characters. */
  text_offset: number[];
  /** Made up by the simulated engine, as the text is. */
  simulated?: true;
}

export type TextFinishReason = 'stop' | 'length' | 'abort';

export interface TextChoice<Reason> {
  index: number;
  text: string;
  /** With return_token_ids, on a choice's first chunk. */
  prompt_token_ids?: number[];
  /** With return_token_ids: the tokens drawn, whether or not they are text yet. */
  token_ids?: number[];
  logprobs: TextLogprobs | null;
  finish_reason: Reason;
}

interface TextAnswer<Reason> {
  id: string;
  object: 'text_completion';
  /** Unix time, seconds. */
  created: number;
  model: string;
  /** The text was made up by the simulated engine. */
  simulated: boolean;
  choices: TextChoice<Reason>[];
}

export interface TextCompletion extends TextAnswer<TextFinishReason> {
  usage: Usage;
}

/** A piece of a streamed text; of the same `object` as the whole, as in the OpenAI API. */
export interface TextCompletionChunk extends TextAnswer<TextFinishReason | null> {
  /** On the last chunk, with stream_options.include_usage. */
  usage?: Usage;
}

/**
 * The OpenAI API's text completion, as far as Tempo serves it
 * (platform.openai.com/docs/api-reference/completions), and what Tempo adds to it.
 */
import type { Slo } from '../scheduler';
import type { Usage } from './chat-types';

/** A text to go on with. No chat template is applied. */
export interface TextCompletionParams {
  /**
   * One text, or one list of token ids; either may be wrapped in a list of one. It is fed as it stands,
   * as in WebLLM: a model that wants a token for the beginning has to be given it.
   */
  prompt: string | readonly [string] | readonly number[] | readonly [readonly number[]];
  /** Must be the loaded model's id where it is given. */
  model?: string | null;
  /** Begin the answer with the prompt. Not together with logprobs. */
  echo?: boolean | null;
  stream?: boolean | null;
  stream_options?: { include_usage?: boolean | null } | null;
  /** Default: until the model ends the text, or the context window is full (OpenAI: 16). */
  max_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  /** vLLM’s extension: draw from so many of the likeliest tokens. Default: from all. */
  top_k?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  repetition_penalty?: number | null;
  logit_bias?: Readonly<Record<string, number>> | null;
  /** How many of the likeliest tokens to tell beside each drawn one, 0 to 5. */
  logprobs?: number | null;
  n?: number | null;
  seed?: number | null;
  stop?: string | readonly string[] | null;
  ignore_eos?: boolean | null;
  /** vLLM's extension, for streams: chunks tell the ids of the tokens, the first the prompt's. */
  return_token_ids?: boolean | null;

  // What Tempo adds.
  /** This request's objective instead of its app's. */
  slo?: Slo | null;
  /** What the call is for within its app; lengths are learnt per stage. */
  stage?: string | null;
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

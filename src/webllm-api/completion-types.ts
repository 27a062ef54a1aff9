/** WebLLM's text completion (0.2.86, `openai_api_protocols/completion`). */
import type {
  ChatCompletion,
  ChatCompletionFinishReason,
  ChatCompletionStreamOptions,
  CompletionUsage,
  TempoRequestFields,
} from './chat-types';

export interface CompletionCreateParamsBase extends TempoRequestFields {
  prompt: string;
  /** Begin the text with the prompt. As in WebLLM, not where it is streamed. */
  echo?: boolean | null;
  frequency_penalty?: number | null;
  logit_bias?: Record<string, number> | null;
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  max_tokens?: number | null;
  n?: number | null;
  presence_penalty?: number | null;
  repetition_penalty?: number | null;
  seed?: number | null;
  stop?: string | null | Array<string>;
  stream?: boolean | null;
  stream_options?: ChatCompletionStreamOptions | null;
  temperature?: number | null;
  top_p?: number | null;
  ignore_eos?: boolean;
  model?: string | null;
  /** Refused. */
  suffix?: string | null;
  /** No effect. */
  user?: string;
  /** Refused, unless it is `n`. */
  best_of?: number | null;
  extra_body?: {
    /** No effect: how the time went is in `usage.extra`. */
    enable_latency_breakdown?: boolean | null;
  };
}

export interface CompletionCreateParamsNonStreaming extends CompletionCreateParamsBase {
  stream?: false | null;
}

export interface CompletionCreateParamsStreaming extends CompletionCreateParamsBase {
  stream: true;
}

export type CompletionCreateParams =
  | CompletionCreateParamsNonStreaming
  | CompletionCreateParamsStreaming;

/** A text, or a piece of a streamed one. */
export interface Completion {
  id: string;
  choices: Array<CompletionChoice>;
  created: number;
  model: string;
  object: 'text_completion';
  system_fingerprint?: string;
  usage?: CompletionUsage;
  /** The text was made up by Tempo's simulated engine. */
  simulated?: boolean;
}

export interface CompletionChoice {
  finish_reason: ChatCompletionFinishReason | null;
  index: number;
  /** In chat's shape, as WebLLM has it. */
  logprobs?: ChatCompletion.Choice.Logprobs | null;
  text: string;
}

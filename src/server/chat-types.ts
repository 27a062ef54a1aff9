/**
 * The OpenAI API's chat completion, as far as Tempo serves it
 * (platform.openai.com/docs/api-reference/chat), and what Tempo adds to it.
 */
import type { Slo } from '../scheduler';

export interface SystemMessage {
  role: 'system';
  content: string;
}

export interface UserMessage {
  role: 'user';
  content: string;
  name?: string;
}

export interface AssistantMessage {
  role: 'assistant';
  content: string | null;
  tool_calls?: ToolCall[];
}

export interface ToolMessage {
  role: 'tool';
  content: string;
  tool_call_id: string;
}

export type ChatMessage = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

export interface ToolCall {
  id: string;
  type: 'function';
  function: {
    name: string;
    /** JSON text. */
    arguments: string;
  };
}

export interface Tool {
  type: 'function';
  function: {
    name: string;
    description?: string;
    /** A JSON schema of an object. */
    parameters?: Record<string, unknown>;
  };
}

export type ToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { type: 'function'; function: { name: string } };

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      json_schema: { name: string; schema: Record<string, unknown>; strict?: boolean };
    }
  /** Together AI's extension: the whole answer matches a regular expression. */
  | { type: 'regex'; pattern: string }
  /** WebLLM's extension: a grammar in EBNF. */
  | { type: 'grammar'; grammar: string };

export interface ChatCompletionParams {
  messages: readonly ChatMessage[];
  /** Must be the loaded model's id where it is given. */
  model?: string;
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  /** vLLM's extension: draw from so many of the likeliest tokens. Default: from all. */
  top_k?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  repetition_penalty?: number | null;
  logit_bias?: Record<string, number> | null;
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  n?: number | null;
  seed?: number | null;
  stop?: string | readonly string[] | null;
  ignore_eos?: boolean;
  response_format?: ResponseFormat;
  tools?: readonly Tool[];
  tool_choice?: ToolChoice;
  /** False: at most one tool call an answer. Default true. */
  parallel_tool_calls?: boolean;
  /**
   * vLLM's extension: the last message, the assistant's, is to be continued rather than answered. What
   * comes is the rest of it alone.
   */
  continue_final_message?: boolean | null;
  /** WebLLM's extension. */
  extra_body?: {
    /** False: a thinking model answers at once. */
    enable_thinking?: boolean | null;
  };

  // What Tempo adds.
  /** This request's objective instead of its app's. */
  slo?: Slo;
  /** What the call is for within its app; lengths are learnt per stage. */
  stage?: string;
  /** What a simulated engine is to answer. Real engines ignore it. */
  simulate?: SimulatedReply;
}

export interface SimulatedReply {
  content?: string;
  tool_calls?: readonly { name: string; arguments: Record<string, unknown> }[];
}

export type ChatFinishReason = 'stop' | 'length' | 'tool_calls' | 'abort';

export interface ChoiceLogprobs {
  content: {
    token: string;
    bytes: number[];
    logprob: number;
    top_logprobs: { token: string; bytes: number[]; logprob: number }[];
  }[];
}

export interface ChoiceDelta {
  role?: 'assistant';
  content?: string;
  /** A thinking model's reasoning, apart from the answer. */
  reasoning_content?: string;
  tool_calls?: {
    index: number;
    id?: string;
    type?: 'function';
    function?: { name?: string; arguments?: string };
  }[];
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: {
    /** Prompt tokens found in the prefix cache. */
    cached_tokens: number;
  };
  /** How the request fared; times in ms. */
  extra: {
    queued_ms: number;
    ttft_ms: number;
    /** Mean time between tokens. */
    tbt_ms: number;
    ttlt_ms: number;
    slo_met: boolean;
    service_gain: number;
    preemptions: number;
  };
}

interface Completion {
  id: string;
  /** Unix time, seconds. */
  created: number;
  model: string;
  /** The text was made up by the simulated engine. */
  simulated: boolean;
}

export interface ChatCompletionChunk extends Completion {
  object: 'chat.completion.chunk';
  choices: {
    index: number;
    delta: ChoiceDelta;
    logprobs: ChoiceLogprobs | null;
    finish_reason: ChatFinishReason | null;
  }[];
  /** On the last chunk, with stream_options.include_usage. */
  usage?: Usage;
}

export interface ChatCompletion extends Completion {
  object: 'chat.completion';
  choices: {
    index: number;
    message: {
      role: 'assistant';
      content: string | null;
      reasoning_content?: string;
      tool_calls?: ToolCall[];
    };
    logprobs: ChoiceLogprobs | null;
    finish_reason: ChatFinishReason;
  }[];
  usage: Usage;
}

/**
 * The OpenAI API's chat completion, as far as Tempo serves it
 * (platform.openai.com/docs/api-reference/chat), and what Tempo adds to it.
 */
import type { Slo } from '../scheduler';

export interface TextPart {
  type: 'text';
  text: string;
}

export interface RefusalPart {
  type: 'refusal';
  refusal: string;
}

/** An image, for models that take them (`limits.images` of the ready state). */
export interface ImagePart {
  type: 'image_url';
  image_url: {
    /**
     * A `data:`, `https:`, `http:` or `blob:` address, or (Tempo's own) the Blob or File itself. PNG, JPEG,
     * WebP, GIF, AVIF or BMP, of at most 20 MiB and 67 million pixels.
     */
    url: string | Blob;
    /** Models see every image as finely as they can; `low` is ignored with a warning. */
    detail?: 'auto' | 'low' | 'high' | 'original' | null;
  };
}

/** Instructions; `developer` is the newer word for `system`. */
export interface SystemMessage {
  role: 'system' | 'developer';
  content: string | readonly TextPart[];
  /** Checked, and then ignored with a warning. */
  name?: string | null;
}

export interface UserMessage {
  role: 'user';
  content: string | readonly (TextPart | ImagePart)[];
  /** Who of several users speaks: the model reads `name: ` before the content. 1 to 64 characters, none of them white space or one of `<>|/\`. */
  name?: string | null;
}

export interface AssistantMessage {
  role: 'assistant';
  /** May be missing beside `tool_calls` or `refusal`. */
  content?: string | readonly (TextPart | RefusalPart)[] | null;
  /** What was said instead of an answer. */
  refusal?: string | null;
  /** Not shown to the model again. */
  reasoning_content?: string | null;
  tool_calls?: readonly ToolCall[] | null;
  /** Checked, and then ignored with a warning. */
  name?: string | null;
}

export interface ToolMessage {
  role: 'tool';
  content: string | readonly TextPart[];
  /**
   * The id of a call in an assistant's message before it. Left out where the call was written in the
   * answer's text, as with prompts that describe tools in words.
   */
  tool_call_id?: string | null;
}

export type ChatMessage = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

export interface ToolCall {
  id: string;
  type: 'function';
  function: {
    name: string;
    /** JSON text. In a conversation so far, `''` is `{}`. */
    arguments: string;
  };
}

export interface Tool {
  type: 'function';
  function: {
    name: string;
    description?: string | null;
    /** A JSON schema of an object; arguments are objects even where it does not say so. */
    parameters?: Record<string, unknown> | null;
    /** Arguments always follow their schema, whatever is said here. */
    strict?: boolean | null;
  };
}

export interface NamedTool {
  type: 'function';
  function: { name: string };
}

export type ToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | NamedTool
  | {
      type: 'allowed_tools';
      allowed_tools: { mode: 'auto' | 'required'; tools: readonly NamedTool[] };
    };

export type ResponseFormat =
  | { type: 'text' }
  /** `schema` (JSON text) is WebLLM's. */
  | { type: 'json_object'; schema?: string | null }
  | {
      type: 'json_schema';
      json_schema: {
        name?: string | null;
        description?: string | null;
        /** Left out: any JSON. */
        schema?: Record<string, unknown> | null;
        /** An answer always follows its schema, whatever is said here. */
        strict?: boolean | null;
      };
    }
  /** The whole answer matches a regular expression (Together AI's). */
  | { type: 'regex'; pattern: string }
  /** EBNF, as xgrammar reads it (WebLLM's). */
  | { type: 'grammar'; grammar: string }
  /** xgrammar's structural tag (WebLLM's). */
  | { type: 'structural_tag'; structural_tag: Record<string, unknown> | string };

/**
 * A request. In every optional field `null` means that it is not set. A field that is not listed here
 * or in `IgnoredParams` is refused with its name.
 */
export interface ChatCompletionParams extends IgnoredParams {
  messages: readonly ChatMessage[];
  /** Must be the loaded model's id where it is given. */
  model?: string | null;
  stream?: boolean | null;
  stream_options?: { include_usage?: boolean | null; include_obfuscation?: boolean | null } | null;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  /** vLLM's extension: draw from so many of the likeliest tokens. Default: from all. */
  top_k?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  repetition_penalty?: number | null;
  logit_bias?: Readonly<Record<string, number>> | null;
  /** Of the content's tokens, not of the reasoning's and the calls'. The simulated engine makes them up. */
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  n?: number | null;
  seed?: number | null;
  /** They end the answer, and sleep through the reasoning before it. */
  stop?: string | readonly string[] | null;
  ignore_eos?: boolean | null;
  /** Beside `tools` the answer is either in this format or calls, as the model chooses. */
  response_format?: ResponseFormat | null;
  tools?: readonly Tool[] | null;
  tool_choice?: ToolChoice | null;
  /** False: at most one tool call an answer. Default true. */
  parallel_tool_calls?: boolean | null;
  /**
   * vLLM's extension: the last message, the assistant's, is to be continued rather than answered. What
   * comes is the rest of it alone.
   */
  continue_final_message?: boolean | null;
  /**
   * `none` and `minimal` switch a thinking model's reasoning off, as `extra_body.enable_thinking`
   * does, which counts first. The others are ignored with a warning.
   */
  reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null;
  /** WebLLM's extension. */
  extra_body?: {
    /**
     * False: a thinking model answers at once; another is not told of it. True: an answer that is held to
     * a form may begin with reasoning, whether the model is known to think or not.
     */
    enable_thinking?: boolean | null;
    /** Ignored with a warning. */
    enable_latency_breakdown?: boolean | null;
    /** Ignored with a warning. */
    resumable?: object | null;
  } | null;

  /**
   * SGLang’s extension. False: a thinking model’s reasoning stays in the content, tags and all. Stop strings
   * and calls are looked for after it.
   */
  separate_reasoning?: boolean | null;
  /** vLLM's extension, for streams: chunks tell the ids of the tokens, the first the prompt's. */
  return_token_ids?: boolean | null;

  // What Tempo adds.
  /**
   * Tokens of this very answer that were generated before, by a request that was the same, `seed`
   * included: the answer goes on after them as if it had never stopped. What comes is the rest alone.
   */
  generated_token_ids?: readonly number[] | null;
  /** This request's objective instead of its app's. */
  slo?: Slo | null;
  /** What the call is for within its app; lengths are learnt per stage. */
  stage?: string | null;
  /**
   * What a simulated engine is to answer. Without it, it makes up a call where `tool_choice` demands
   * one, JSON where `response_format` does, and prose otherwise. Real engines ignore it.
   */
  simulate?: SimulatedReply | null;
}

/**
 * What the OpenAI API knows besides, and what makes no difference to an answer here. It is ignored;
 * the client says so in the console, once a page.
 */
export interface IgnoredParams {
  metadata?: Readonly<Record<string, string>> | null;
  modalities?: readonly 'text'[] | null;
  prediction?: { type: 'content'; content: string | readonly TextPart[] } | null;
  prompt_cache_key?: string | null;
  prompt_cache_options?: object | null;
  prompt_cache_retention?: string | null;
  safety_identifier?: string | null;
  service_tier?: string | null;
  store?: boolean | null;
  user?: string | null;
  verbosity?: 'low' | 'medium' | 'high' | null;
}

export interface SimulatedReply {
  content?: string;
  tool_calls?: readonly { name: string; arguments: Readonly<Record<string, unknown>> }[];
}

export type ChatFinishReason = 'stop' | 'length' | 'tool_calls' | 'abort';

/** Of the tokens that the content is made of: their bytes, one after another, are the content. */
export interface ChoiceLogprobs {
  content: {
    /** Its text; where it holds a part of a character, its bytes as `\\xf0\\x9f`. */
    token: string;
    bytes: number[];
    logprob: number;
    top_logprobs: { token: string; bytes: number[]; logprob: number }[];
  }[];
  /** Made up by the simulated engine, as the text is. */
  simulated?: true;
}

export interface ChoiceDelta {
  role?: 'assistant';
  content?: string;
  /** A thinking model's reasoning, apart from the answer. */
  reasoning_content?: string;
  /** With return_token_ids, on a choice's first chunk. */
  prompt_token_ids?: number[];
  /** With return_token_ids: the tokens drawn, whether or not they are text yet. */
  token_ids?: number[];
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
  completion_tokens_details: {
    /** Tokens of a thinking model's reasoning, as far as it is told apart from the answer. */
    reasoning_tokens: number;
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

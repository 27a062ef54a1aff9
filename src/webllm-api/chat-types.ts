/**
 * WebLLM's chat completion (0.2.86, `openai_api_protocols/chat_completion`), type by type and name by name,
 * so that what is written for it type-checks here, and what Tempo adds to it.
 */
import type { ChatCompletionParams, Slo, Usage } from '../client';

/** What a request may say besides, for Tempo. */
export interface TempoRequestFields {
  /** This request's objective instead of its engine's. */
  slo?: Slo | null;
  /** What the call is for; lengths are learnt per stage. */
  stage?: string | null;
  /** What a simulated engine is to answer. */
  simulate?: ChatCompletionParams['simulate'];
  /** Ends this generation alone, as `interruptGenerate` ends all: its finish_reason is `abort`. */
  signal?: AbortSignal | null;
}

export interface ResumableGenerationConfig {
  /** False: nothing is kept. */
  enabled: boolean;
  /** Names this one generation; a random one by default. One that was used before has to be deleted first. */
  sessionId?: string;
  /** No effect: what is computed is not kept, but computed again from the tokens. */
  checkpointIntervalTokens?: number;
  /** No effect. */
  checkpointPrompt?: boolean;
  /** `exact` (default): a token is told once it is kept; `relaxed`: they are kept some at a time. */
  durabilityMode?: 'exact' | 'relaxed';
  /** What cannot be kept fails the generation; by default it goes on without. */
  strictPersistence?: boolean;
  /** No effect. */
  storeCheckpointLogits?: boolean;
}

export interface ChatCompletionRequestBase extends TempoRequestFields {
  messages: Array<ChatCompletionMessageParam>;
  stream?: boolean | null;
  stream_options?: ChatCompletionStreamOptions | null;
  /** How many answers. WebLLM streams one at a time; here they may stream together. */
  n?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  repetition_penalty?: number | null;
  max_tokens?: number | null;
  stop?: string | null | Array<string>;
  temperature?: number | null;
  top_p?: number | null;
  logit_bias?: Record<string, number> | null;
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  seed?: number | null;
  tool_choice?: ChatCompletionToolChoiceOption;
  /** Every chat model takes tools here, not only `functionCallingModelIds`. */
  tools?: Array<ChatCompletionTool>;
  response_format?: ResponseFormat;
  ignore_eos?: boolean;
  /** Must be said where several models are loaded. */
  model?: string | null;
  extra_body?: {
    enable_thinking?: boolean | null;
    /** No effect: how the time went is in `usage.extra`. */
    enable_latency_breakdown?: boolean | null;
    /** Keeps the generation, so that it can be gone on with after a crash. */
    resumable?: ResumableGenerationConfig | null;
  };
}

export interface ChatCompletionRequestNonStreaming extends ChatCompletionRequestBase {
  stream?: false | null;
}

export interface ChatCompletionRequestStreaming extends ChatCompletionRequestBase {
  stream: true;
}

export type ChatCompletionRequest =
  | ChatCompletionRequestNonStreaming
  | ChatCompletionRequestStreaming;

export interface ChatCompletion {
  id: string;
  choices: Array<ChatCompletion.Choice>;
  model: string;
  object: 'chat.completion';
  /** Unix time, seconds. */
  created: number;
  usage?: CompletionUsage;
  system_fingerprint?: string;
  /** The text was made up by Tempo's simulated engine. */
  simulated?: boolean;
}

export namespace ChatCompletion {
  export interface Choice {
    finish_reason: ChatCompletionFinishReason;
    index: number;
    logprobs: Choice.Logprobs | null;
    message: ChatCompletionMessage;
  }

  export namespace Choice {
    export interface Logprobs {
      content: Array<ChatCompletionTokenLogprob> | null;
    }
  }
}

export interface ChatCompletionChunk {
  id: string;
  /** Empty on the chunk that brings the usage. */
  choices: Array<ChatCompletionChunk.Choice>;
  created: number;
  model: string;
  object: 'chat.completion.chunk';
  system_fingerprint?: string;
  /** On the last chunk, with `stream_options: { include_usage: true }`. */
  usage?: CompletionUsage;
  /** The text was made up by Tempo's simulated engine. */
  simulated?: boolean;
}

export namespace ChatCompletionChunk {
  export interface Choice {
    delta: Choice.Delta;
    finish_reason: ChatCompletionFinishReason | null;
    index: number;
    logprobs?: Choice.Logprobs | null;
  }

  export namespace Choice {
    export interface Delta {
      content?: string | null;
      role?: 'system' | 'user' | 'assistant' | 'tool';
      /** All calls whole, on the last chunk. */
      tool_calls?: Array<Delta.ToolCall>;
    }

    export namespace Delta {
      export interface ToolCall {
        index: number;
        id?: string;
        function?: ToolCall.Function;
        type?: 'function';
      }

      export namespace ToolCall {
        export interface Function {
          arguments?: string;
          name?: string;
        }
      }
    }

    export interface Logprobs {
      content: Array<ChatCompletionTokenLogprob> | null;
    }
  }
}

export type ChatCompletionContentPart =
  | ChatCompletionContentPartText
  | ChatCompletionContentPartImage
  | ChatCompletionContentPartInputAudio;

export interface ChatCompletionContentPartText {
  text: string;
  type: 'text';
}

export interface ChatCompletionContentPartImage {
  image_url: ChatCompletionContentPartImage.ImageURL;
  type: 'image_url';
}

export namespace ChatCompletionContentPartImage {
  export interface ImageURL {
    url: string;
    detail?: 'auto' | 'low' | 'high';
  }
}

export interface ChatCompletionAudioInputWav {
  data: string;
  format: 'wav';
}

export interface ChatCompletionAudioInputPCM {
  data: Float32Array;
  format: 'pcm_f32';
  sample_rate: number;
}

export type ChatCompletionAudioInput = ChatCompletionAudioInputWav | ChatCompletionAudioInputPCM;

/** Refused when it is sent: the models here do not hear. */
export interface ChatCompletionContentPartInputAudio {
  input_audio: ChatCompletionAudioInput;
  type: 'input_audio';
}

export interface ChatCompletionMessageToolCall {
  id: string;
  function: ChatCompletionMessageToolCall.Function;
  type: 'function';
}

export namespace ChatCompletionMessageToolCall {
  export interface Function {
    arguments: string;
    name: string;
  }
}

export type ChatCompletionRole = 'system' | 'user' | 'assistant' | 'tool' | 'function';

export interface ChatCompletionStreamOptions {
  include_usage?: boolean;
}

export interface ChatCompletionSystemMessageParam {
  content: string;
  role: 'system';
}

export interface ChatCompletionUserMessageParam {
  content: string | Array<ChatCompletionContentPart>;
  role: 'user';
  name?: string;
}

export interface ChatCompletionAssistantMessageParam {
  role: 'assistant';
  content?: string | null;
  name?: string;
  tool_calls?: Array<ChatCompletionMessageToolCall>;
}

export interface ChatCompletionToolMessageParam {
  content: string;
  role: 'tool';
  tool_call_id: string;
}

export type ChatCompletionMessageParam =
  | ChatCompletionSystemMessageParam
  | ChatCompletionUserMessageParam
  | ChatCompletionAssistantMessageParam
  | ChatCompletionToolMessageParam;

export type FunctionParameters = Record<string, unknown>;

export interface FunctionDefinition {
  name: string;
  description?: string;
  /** A JSON schema. */
  parameters?: FunctionParameters;
}

export interface ChatCompletionTool {
  function: FunctionDefinition;
  type: 'function';
}

export interface ChatCompletionNamedToolChoice {
  function: ChatCompletionNamedToolChoice.Function;
  type: 'function';
}

export namespace ChatCompletionNamedToolChoice {
  export interface Function {
    name: string;
  }
}

export type ChatCompletionToolChoiceOption = 'none' | 'auto' | ChatCompletionNamedToolChoice;

export interface TopLogprob {
  token: string;
  bytes: Array<number> | null;
  logprob: number;
}

export interface ChatCompletionTokenLogprob {
  token: string;
  bytes: Array<number> | null;
  logprob: number;
  top_logprobs: Array<TopLogprob>;
}

export interface ChatCompletionMessage {
  /** A thinking model's reasoning included, between `<think>` tags, as the model writes it. */
  content: string | null;
  role: 'assistant';
  tool_calls?: Array<ChatCompletionMessageToolCall>;
}

export type LatencyBreakdown = {
  logitProcessorTime: number[];
  logitBiasTime: number[];
  penaltyTime: number[];
  sampleTime: number[];
  totalTime: number[];
  grammarBitmaskTime: number[];
};

export interface CompletionUsage {
  completion_tokens: number;
  /** Tokens of the prompt that had to be computed: those of a conversation's earlier turns are kept. */
  prompt_tokens: number;
  total_tokens: number;
  /** Of the whole prompt, what was kept and not computed. */
  prompt_tokens_details?: { cached_tokens: number };
  /** WebLLM's times, in s, and Tempo's, in ms. */
  extra: {
    /** From the request to the end of its answer. */
    e2e_latency_s: number;
    prefill_tokens_per_s: number;
    decode_tokens_per_s: number;
    /** From the request to its first token. */
    time_to_first_token_s: number;
    time_per_output_token_s: number;
    /** Not measured here. */
    grammar_init_s?: number;
    /** Not measured here. */
    grammar_per_token_s?: number;
    /** Not measured here. */
    latencyBreakdown?: LatencyBreakdown;
  } & Partial<Usage['extra']>;
}

export type ChatCompletionFinishReason = 'stop' | 'length' | 'tool_calls' | 'abort';

/** xgrammar's structural tag: `begin`, `end` and what is between them, as plain data. */
export type StructuralTagLike = Record<string, unknown>;

export interface ResponseFormat {
  type?: 'text' | 'json_object' | 'grammar' | 'structural_tag';
  /** A JSON schema, as text. */
  schema?: string;
  /** EBNF, as xgrammar reads it. */
  grammar?: string;
  structural_tag?: StructuralTagLike | string;
}

/** WebLLM's configuration (0.2.86, `config`), and what Tempo adds to it. */
import type { ChatCompletionParams, LoadChoice, Slo, Tempo, TempoOptions } from '../client';
import type { ChatCompletionRequestBase, ResponseFormat } from './chat-types';
import type { CompletionCreateParamsBase } from './completion-types';
import type { ModelIntegrity } from './integrity';
import type { LogLevel } from './log';

/** What a model is for. */
export enum ModelType {
  LLM = 0,
  embedding = 1,
  VLM = 2,
}

export interface ConvTemplateConfig {
  system_template: string;
  system_message: string;
  roles: Record<'user' | 'assistant' | 'tool', string>;
  role_templates?: Partial<Record<'user' | 'assistant' | 'tool', string>>;
  seps: Array<string>;
  role_content_sep?: string;
  role_empty_sep?: string;
  stop_str: Array<string>;
  system_prefix_token_ids?: Array<number>;
  stop_token_ids: Array<number>;
  add_role_after_system_message?: boolean;
  render_empty_system_message?: boolean;
}

export interface TokenizerInfo {
  token_postproc_method: string;
  prepend_space_in_encode: boolean;
  strip_space_in_decode: boolean;
}

export type VisionModelConfig = {
  mm_tokens_per_image?: number;
  boi_token_index?: number;
  eoi_token_index?: number;
  vision_start_token_id?: number;
  vision_end_token_id?: number;
};

/** A model's `mlc-chat-config.json`, as far as it matters here. */
export interface ChatConfig {
  tokenizer_files: Array<string>;
  tokenizer_info?: TokenizerInfo;
  token_table_postproc_method?: string;
  vocab_size: number;
  conv_config?: Partial<ConvTemplateConfig>;
  conv_template: ConvTemplateConfig;
  context_window_size: number;
  sliding_window_size: number;
  attention_sink_size: number;
  max_history_size?: number;
  repetition_penalty: number;
  frequency_penalty: number;
  presence_penalty: number;
  top_p: number;
  temperature: number;
  bos_token_id?: number;
  model_type?: string;
  model_config?: VisionModelConfig & Record<string, unknown>;
}

/** What is to be other than the model's own configuration says. */
export interface ChatOptions extends Partial<ChatConfig> {}

/** How tokens are drawn, for code that passes these fields around; requests have them themselves. */
export interface GenerationConfig {
  repetition_penalty?: number | null;
  ignore_eos?: boolean;
  top_p?: number | null;
  temperature?: number | null;
  max_tokens?: number | null;
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  stop?: string | null | Array<string>;
  n?: number | null;
  logit_bias?: Record<string, number> | null;
  logprobs?: boolean | null;
  top_logprobs?: number | null;
  response_format?: ResponseFormat | null;
  enable_thinking?: boolean | null;
  enable_latency_breakdown?: boolean | null;
}

export interface ModelRecord {
  /** The address of the weights' folder. */
  model: string;
  model_id: string;
  /** The address of the library, a `.wasm`. */
  model_lib: string;
  overrides?: ChatOptions;
  vram_required_MB?: number;
  low_resource_required?: boolean;
  buffer_size_required_bytes?: number;
  required_features?: Array<string>;
  model_type?: ModelType;
  integrity?: ModelIntegrity;
  model_manifest?: string;
}

export type CacheBackend = 'cache' | 'indexeddb' | 'cross-origin' | 'opfs';
export type OPFSAccessMode = 'async' | 'sync' | 'auto';

export interface AppConfig {
  model_list: Array<ModelRecord>;
  cacheBackend?: CacheBackend;
  opfsAccessMode?: OPFSAccessMode;
}

/** How an engine uses Tempo. */
export interface TempoEngineOptions
  extends Omit<
      Partial<LoadChoice>,
      'model' | 'engine' | 'appConfig' | 'chatOptions' | 'embeddingModels'
    >,
    Pick<TempoOptions, 'host' | 'worker'> {
  /** The app that the engine's calls are accounted to. Default `webllm`. */
  app?: string | null;
  /** The objective of every call that does not bring its own. Default: best-effort. */
  slo?: Slo | null;
  /** `simulated` needs no GPU and makes its answers up; models then are names, of any kind their record says. */
  engine?: 'webllm' | 'simulated' | null;
  /** The simulated engine's device profile (default `laptop-gpu`). */
  device?: string | null;
  /** What the simulated engine answers where the request does not say it by its own `simulate`. */
  simulate?:
    | ((
        request: ChatCompletionRequestBase | CompletionCreateParamsBase,
      ) => ChatCompletionParams['simulate'])
    | null;
  /** A Tempo that the page has already: several engines, and the page itself, then share its one model. */
  client?: Tempo | null;
}

/** Where a load stands. */
export interface InitProgressReport {
  /** 0 to 1 over the whole load; it never goes back. */
  progress: number;
  /** Since the load began, s. */
  timeElapsed: number;
  /** For people, in WebLLM's words. */
  text: string;
}

export type InitProgressCallback = (report: InitProgressReport) => void;

/** Refused by every engine here: see `MLCEngineConfig.logitProcessorRegistry`. */
export interface LogitProcessor {
  processLogits: (logits: Float32Array) => Float32Array;
  processSampledToken: (token: number) => void;
  resetState: () => void;
}

export interface MLCEngineConfig {
  /** Default: `prebuiltAppConfig`. */
  appConfig?: AppConfig;
  initProgressCallback?: InitProgressCallback;
  /** Refused where there is anything in it: what runs between the GPU's steps runs in Tempo's worker. */
  logitProcessorRegistry?: Map<string, LogitProcessor>;
  logLevel?: LogLevel;
  tempo?: TempoEngineOptions | null;
}

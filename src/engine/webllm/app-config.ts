/**
 * WebLLM's configuration as far as Tempo hands it on: the same fields by the same names, so that what was
 * written for WebLLM (0.2.86) fits, without WebLLM's own types. All of it is data that can cross to a worker.
 */

/** WebLLM's `AppConfig`: which models there are, and where what is downloaded is kept. */
export interface AppConfig {
  /** In place of WebLLM's own list. */
  model_list: readonly ModelRecord[];
  /** Default: the Cache API. */
  cacheBackend?: CacheBackend;
  /** How the origin private file system is used; only with `cacheBackend: 'opfs'`. */
  opfsAccessMode?: 'async' | 'sync' | 'auto';
}

/**
 * Where weights, libraries and configurations are kept: the Cache API, IndexedDB, the origin private file
 * system, or Chrome's Cross-Origin Storage extension.
 */
export type CacheBackend = 'cache' | 'indexeddb' | 'cross-origin' | 'opfs';

/** WebLLM's `ModelRecord`. */
export interface ModelRecord {
  /**
   * The address of the weights' folder. `/resolve/main/` is added where it has no `/resolve/…/`, as on
   * Hugging Face; a server of one's own is best given with it.
   */
  model: string;
  /** What to call the model. */
  model_id: string;
  /** The address of its library, a `.wasm`. */
  model_lib: string;
  overrides?: ChatOptions;
  /** GPU memory that it takes, MB. */
  vram_required_MB?: number;
  /** It runs on devices with little memory, such as phones. */
  low_resource_required?: boolean;
  /** The largest buffer that it binds, bytes. */
  buffer_size_required_bytes?: number;
  /** GPU features that it needs, such as `shader-f16`. */
  required_features?: readonly string[];
  /** 0: a chat model (default); 1: an embedding model; 2: a chat model that sees images. */
  model_type?: number;
  /** Hashes that the small files must have (Subresource Integrity). */
  integrity?: ModelIntegrity;
  /** `mlc-model-manifest.json`, relative to `model`, for models that are packed with one. */
  model_manifest?: string;
}

/** WebLLM's `ModelIntegrity`: SRI hashes (`sha256-…`). */
export interface ModelIntegrity {
  config?: string;
  model_lib?: string;
  /** By file name. */
  tokenizer?: Readonly<Record<string, string>>;
  /** Default: an error. */
  onFailure?: 'error' | 'warn';
}

/** WebLLM's `ChatOptions`: what is to be other than the model's `mlc-chat-config.json` says. */
export interface ChatOptions {
  /** Longest prompt plus output, tokens; -1 with a sliding window. */
  context_window_size?: number;
  /** Tokens attended to; -1 for none. Models with one are served one request at a time. */
  sliding_window_size?: number;
  /** Tokens at the start that a sliding window keeps. */
  attention_sink_size?: number;
  max_history_size?: number;
  /** Sampling where a request says nothing. */
  temperature?: number;
  top_p?: number;
  repetition_penalty?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  /** The chat template, whole or in part. */
  conv_template?: Partial<ConvTemplateConfig>;
  conv_config?: Partial<ConvTemplateConfig>;
  tokenizer_files?: readonly string[];
  tokenizer_info?: TokenizerInfo;
  token_table_postproc_method?: string;
  vocab_size?: number;
  bos_token_id?: number;
  model_type?: string;
  model_config?: Readonly<Record<string, unknown>>;
}

/** WebLLM's `ConvTemplateConfig`. */
export interface ConvTemplateConfig {
  system_template: string;
  system_message: string;
  roles: Readonly<Record<string, string>>;
  role_templates?: Readonly<Record<string, string>>;
  seps: readonly string[];
  role_content_sep?: string;
  role_empty_sep?: string;
  stop_str: readonly string[];
  system_prefix_token_ids?: readonly number[];
  stop_token_ids: readonly number[];
  add_role_after_system_message?: boolean;
  render_empty_system_message?: boolean;
}

/** WebLLM's `TokenizerInfo`. */
export interface TokenizerInfo {
  token_postproc_method: string;
  prepend_space_in_encode: boolean;
  strip_space_in_decode: boolean;
}

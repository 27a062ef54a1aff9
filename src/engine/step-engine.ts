import type { GrammarSpec, StepCosts, StepExecutor, TempoError } from '../scheduler';
import type { PrefixMetrics } from './kv';
import type { ImageLayout } from './text/messages';

/** Text to tokens and back. */
export interface Tokenizer {
  readonly vocabSize: number;
  encode(text: string): Int32Array;
  /** Decodes whole ids; a character split over tokens comes out as U+FFFD until it is complete. */
  decode(ids: ArrayLike<number>): string;
  /**
   * The bytes that a token stands for wherever it comes: a part of a character's, and the space that
   * SentencePiece begins words with. Undefined where they are those of what it decodes to by itself.
   */
  bytes?(id: number): Uint8Array | undefined;
}

/** The chat template as MLC's mlc-chat-config.json holds it (`conv_template`): data, not code. */
export interface ConversationTemplate {
  system_template: string;
  system_message: string;
  roles: { user: string; assistant: string; tool?: string };
  role_templates?: { user?: string; assistant?: string; tool?: string };
  seps: string[];
  role_content_sep?: string;
  role_empty_sep?: string;
  stop_str: string[];
  stop_token_ids?: number[];
  system_prefix_token_ids?: number[];
  add_role_after_system_message?: boolean;
}

/** What was loaded, as far as text is concerned. */
export interface LoadedModel {
  id: string;
  tokenizer: Tokenizer;
  template: ConversationTemplate;
  /** Sampling defaults of the model's own configuration; WebLLM applies the penalties too. */
  defaults: {
    temperature: number;
    topP: number;
    frequencyPenalty?: number;
    presencePenalty?: number;
    repetitionPenalty?: number;
  };
  /** The text is made up, not inferred. */
  simulated: boolean;
  /** How it takes images; undefined where it reads text only. */
  images?: ImageInput;
}

/** How a model takes images. */
export interface ImageInput {
  layout: ImageLayout;
  /** Token ids that it wants before and after each. */
  before: readonly number[];
  after: readonly number[];
  /** It looks at pixels; a simulated one only counts. */
  seesPixels: boolean;
  /** What becomes of a picture of this size, or why the model takes none such: `it is …`. */
  plan(width: number, height: number): ImagePlan | string;
}

/** A picture on its way to a model. All but `rows` are pixels. */
export interface ImagePlan {
  /** The size that the model is fed. */
  width: number;
  height: number;
  /** Where in that the whole picture is drawn; what reaches beyond it is cut off. */
  drawn: { left: number; top: number; width: number; height: number };
  /** Rows of its embedding, which are tokens of the prompt. */
  rows: number;
}

/** What an engine says of itself, for status displays. */
export interface EngineStatus {
  kind: 'simulated' | 'webllm';
  model: string;
  /** GPU or device profile, in words. */
  device: string;
  /** `batched`: continuous batching; `serial`: one request at a time, with the reason in `notes`. */
  mode: 'batched' | 'serial';
  /** Plain sentences on what was switched off and why. */
  notes: string[];
  /** KV cache memory, bytes. */
  kvBytes: number;
  /** Embedding models loaded beside it. */
  embeddingModels?: string[];
}

/** The one interface a scheduler drives. */
export interface StepEngine extends StepExecutor {
  readonly model: LoadedModel;
  readonly status: EngineStatus;
  /** Step-time coefficients from the load-time calibration (or the device profile). */
  readonly costs: StepCosts;
  /** What prefix sharing saved since load, where the engine shares prefixes. */
  readonly prefixMetrics?: Readonly<PrefixMetrics>;
  /** Resolves, once, if the device is lost; every sequence is gone then. */
  readonly lost: Promise<TempoError>;
  /**
   * Rejects with `invalid_schema` where a grammar does not compile, before a request with it is
   * queued, and with the signal's reason where the caller has gone. An engine without it constrains
   * nothing.
   */
  checkGrammar?(spec: GrammarSpec, signal?: AbortSignal): Promise<void>;
  dispose(): Promise<void>;
}

/** Where a load stands. */
export interface LoadProgress {
  phase: 'download' | 'compile' | 'allocate' | 'self-test' | 'ready';
  /** A sentence for people. */
  text: string;
  /** 0 to 1 over the whole load. */
  fraction: number;
  loadedBytes?: number;
  totalBytes?: number;
  /** How many files of weights are there, or kernels compiled, of how many. */
  parts?: { done: number; total: number };
  /** From the browser's cache rather than the network. */
  fromCache?: boolean;
  /** Estimated time left, ms; absent while there is nothing to judge by. */
  remainingMs?: number;
}

export interface LoadOptions {
  signal?: AbortSignal;
  onProgress?: (progress: LoadProgress) => void;
}

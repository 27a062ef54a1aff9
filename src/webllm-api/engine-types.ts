/** WebLLM's engine as its users see it (0.2.86, `types`). */
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequest,
  ChatCompletionRequestBase,
  ChatCompletionRequestNonStreaming,
  ChatCompletionRequestStreaming,
} from './chat-types';
import type {
  Completion,
  CompletionCreateParams,
  CompletionCreateParamsBase,
  CompletionCreateParamsNonStreaming,
  CompletionCreateParamsStreaming,
} from './completion-types';
import type { AppConfig, ChatOptions, InitProgressCallback } from './config-types';
import type { CreateEmbeddingResponse, EmbeddingCreateParams } from './embedding-types';
import type { LogLevel } from './log';

/** What is known of a generation that was kept. */
export interface ResumeProbeResult {
  sessionId: string;
  /** It can be gone on with. */
  resumable: boolean;
  /** Why it ended, or why it cannot be gone on with. */
  reason?: string;
  modelId: string;
  emittedTokens: number;
  /** Of the prompt and the answer together, tokens. */
  processedSeqLen: number;
  /** `token_replay` where it can be gone on with: its tokens are computed again. Never `kv` here. */
  recoveryMode: 'kv' | 'token_replay' | 'text_only' | 'none';
}

export type ResumableSessionInfo = ResumeProbeResult;

export interface ResumeResult {
  sessionId: string;
  /** The answer, from its beginning. */
  recoveredText: string;
  emittedTokens: number;
  processedSeqLen: number;
  /** Tokens that were computed again. */
  replayedTokens: number;
  /** `text_only`: it was read, and not gone on with. */
  recoveryMode: 'kv' | 'token_replay' | 'text_only';
}

export interface ResumeChatCompletionOptions {
  /** Default false: what is kept is read. */
  continueGeneration?: boolean;
  /** Of a generation that was streamed: resolves to a stream of what is still to come. */
  stream?: boolean;
}

/** `engine.chat.completions`. */
export interface ChatCompletions {
  create(request: ChatCompletionRequestNonStreaming): Promise<ChatCompletion>;
  create(request: ChatCompletionRequestStreaming): Promise<AsyncIterable<ChatCompletionChunk>>;
  create(
    request: ChatCompletionRequestBase,
  ): Promise<AsyncIterable<ChatCompletionChunk> | ChatCompletion>;
}

/** `engine.chat`. */
export interface Chat {
  completions: ChatCompletions;
}

/** `engine.completions`. */
export interface Completions {
  create(request: CompletionCreateParamsNonStreaming): Promise<Completion>;
  create(request: CompletionCreateParamsStreaming): Promise<AsyncIterable<Completion>>;
  create(request: CompletionCreateParamsBase): Promise<AsyncIterable<Completion> | Completion>;
}

/** `engine.embeddings`. */
export interface Embeddings {
  create(request: EmbeddingCreateParams): Promise<CreateEmbeddingResponse>;
}

/** What every engine does; calls run side by side. */
export interface MLCEngineInterface {
  chat: Chat;
  completions: Completions;
  embeddings: Embeddings;
  setInitProgressCallback: (initProgressCallback: InitProgressCallback) => void;
  getInitProgressCallback: () => InitProgressCallback | undefined;
  /** Counts from the next `reload` on. */
  setAppConfig: (appConfig: AppConfig) => void;
  /**
   * Loads a chat model, embedding models, or one and the others together, in place of what was loaded.
   * `unload`, or another `reload`, ends it early: it resolves then, with nothing loaded by it.
   */
  reload: (modelId: string | string[], chatOpts?: ChatOptions | ChatOptions[]) => Promise<void>;
  chatCompletion(request: ChatCompletionRequestNonStreaming): Promise<ChatCompletion>;
  chatCompletion(
    request: ChatCompletionRequestStreaming,
  ): Promise<AsyncIterable<ChatCompletionChunk>>;
  chatCompletion(
    request: ChatCompletionRequestBase,
  ): Promise<AsyncIterable<ChatCompletionChunk> | ChatCompletion>;
  chatCompletion(
    request: ChatCompletionRequest,
  ): Promise<AsyncIterable<ChatCompletionChunk> | ChatCompletion>;
  completion(request: CompletionCreateParamsNonStreaming): Promise<Completion>;
  completion(request: CompletionCreateParamsStreaming): Promise<AsyncIterable<Completion>>;
  completion(request: CompletionCreateParamsBase): Promise<AsyncIterable<Completion> | Completion>;
  completion(request: CompletionCreateParams): Promise<AsyncIterable<Completion> | Completion>;
  embedding(request: EmbeddingCreateParams): Promise<CreateEmbeddingResponse>;
  listResumableSessions(): Promise<ResumeProbeResult[]>;
  resumeChatCompletion(
    sessionId: string,
    options?: ResumeChatCompletionOptions,
  ): Promise<ResumeResult | AsyncIterable<ChatCompletionChunk>>;
  deleteResumableSession(sessionId: string): Promise<void>;
  /** Tokens per second since the last `resetChat`, of all calls together, call by call. */
  runtimeStatsText: (modelId?: string) => Promise<string>;
  /** Ends every generation that is running: each gives what it has, with the finish_reason `abort`. */
  interruptGenerate: () => void;
  unload: () => Promise<void>;
  /** Forgets the last message, the statistics (unless `keepStats`) and what `forwardTokensAndSample` was fed. */
  resetChat: (keepStats?: boolean, modelId?: string) => Promise<void>;
  /** The text of the generation that began last, as far as it has come; of its last choice. */
  getMessage: (modelId?: string) => Promise<string>;
  getMaxStorageBufferBindingSize(): Promise<number>;
  getGPUVendor(): Promise<string>;
  /** The token after these, which are appended to those of earlier calls since `resetChat`. */
  forwardTokensAndSample(
    inputIds: Array<number>,
    isPrefill: boolean,
    modelId?: string,
  ): Promise<number>;
  setLogLevel(logLevel: LogLevel): void;
}

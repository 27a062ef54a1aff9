/** The client's public types: what web developers program against. */
import type {
  AnyPolicyName,
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  DownloadEstimate,
  EmbeddingParams,
  EmbeddingResponse,
  LoadConfig,
  ModelInfo,
  ModelPart,
  ModelSize,
  ModelStorage,
  ProgramReport,
  ServerState,
  Slo,
  Snapshot,
  TempoHost,
  TextCompletion,
  TextCompletionChunk,
  TextCompletionParams,
} from '../worker/protocol';

/** What a Worker, SharedWorker or MessagePort leads to: a server that `tempo-llm/worker` or `serve` runs. */
export type TempoPort = Worker | SharedWorker | MessagePort;

/** What is to be loaded. */
export type EngineChoice =
  /** A model of WebLLM's, by its id; needs WebGPU. The default kind. */
  | { engine?: 'webllm' | null; model: string }
  /** Runs anywhere, and says so in every answer; `model` is a device profile (default `laptop-gpu`). */
  | { engine: 'simulated'; model?: string | null };

/** A load: the engine, and whatever of the settings is to be other than before. */
export type LoadChoice = EngineChoice & {
  [Setting in Exclude<keyof LoadConfig, 'engine' | 'model'>]?: LoadConfig[Setting] | null;
};

/** At most one of `host` and `worker`. */
export type TempoOptions = LoadChoice & {
  /** A server in this thread: in Node, in tests. It ends with this Tempo; another needs one of its own. */
  host?: TempoHost | null;
  /**
   * A worker of your own that runs `tempo-llm/worker`, or how to make one. A made one can be made
   * again where it crashed, and ends with this Tempo. A `Worker` that is given goes on, but serves nobody
   * else: its server ends with this Tempo. Those behind a `SharedWorker` or a port that `serve` was given
   * go on. Default: the package's.
   */
  worker?: TempoPort | (() => TempoPort) | null;
  /** Cancels the first load. */
  signal?: AbortSignal | null;
};

export interface RequestOptions {
  /** Ends the call: with `aborted`, or `timeout` where it is an `AbortSignal.timeout`'s. */
  signal?: AbortSignal | null;
}

/**
 * A streaming answer: iterate its chunks (once), or stop early with `break`, which aborts the request.
 */
export interface ChatCompletionStream extends AsyncIterable<ChatCompletionChunk> {
  readonly id: string;
  /** Expected time until the request is first served, ms; updated while it waits. */
  readonly estimatedWaitMs: number;
  /** The whole answer, once it is there; whether or not the chunks are read. Throws what the stream throws. */
  final(): Promise<ChatCompletion>;
  abort(): void;
}

export interface Completions {
  create(
    params: ChatCompletionParams & { stream: true },
    options?: RequestOptions | null,
  ): Promise<ChatCompletionStream>;
  create(
    params: ChatCompletionParams & { stream?: false },
    options?: RequestOptions | null,
  ): Promise<ChatCompletion>;
  create(
    params: ChatCompletionParams,
    options?: RequestOptions | null,
  ): Promise<ChatCompletionStream | ChatCompletion>;
}

export interface Embeddings {
  /** Vectors for texts, in the order of the input; all of them, or an error. */
  create(
    params: EmbeddingParams & { encoding_format?: 'float' | null },
    options?: RequestOptions | null,
  ): Promise<EmbeddingResponse>;
  create(
    params: EmbeddingParams & { encoding_format: 'base64' },
    options?: RequestOptions | null,
  ): Promise<EmbeddingResponse<string>>;
  create(
    params: EmbeddingParams,
    options?: RequestOptions | null,
  ): Promise<EmbeddingResponse<number[] | string>>;
}

/**
 * The models that there are, and what the browser keeps of them: WebLLM's, or those of `appConfig`; whatever
 * is loaded now. A model's id that the list does not have throws `unknown_model`.
 */
export interface Models {
  /** Every model of the list. Asks no server. */
  list(): Promise<ModelInfo[]>;
  /** What is kept, model by model. */
  cached(): Promise<ModelStorage[]>;
  /** What is kept of one model, in whole or in part. */
  storage(id: string): Promise<ModelStorage>;
  /** How large a model's download is. Asks its servers; throws `network` where they do not answer. */
  size(id: string): Promise<ModelSize>;
  /**
   * What is still to be downloaded, and whether it fits. Asks the model's server, unless it was downloaded
   * before, in whole or part.
   */
  estimate(id: string): Promise<DownloadEstimate>;
  /**
   * Deletes what is kept of a model, and of those that share its weights (`sharedWith`); one that is loaded
   * goes on. With `part`, that part alone. Resolves to the bytes that were freed. `load_in_progress` while
   * something loads.
   */
  delete(id: string, part?: ModelPart | null): Promise<number>;
  /**
   * Asks the browser not to clear what is kept when space runs short (`navigator.storage.persist`). Resolves
   * to whether it agrees; some ask the user.
   */
  persist(): Promise<boolean>;
}

/** A streaming text completion: iterate its chunks (once), or stop early with `break`, which aborts it. */
export interface TextCompletionStream extends AsyncIterable<TextCompletionChunk> {
  readonly id: string;
  /** Expected time until the request is first served, ms; updated while it waits. */
  readonly estimatedWaitMs: number;
  /** The whole answer, once it is there; whether or not the chunks are read. Throws what the stream throws. */
  final(): Promise<TextCompletion>;
  abort(): void;
}

/** Goes on with a text, without a chat template. */
export interface TextCompletions {
  create(
    params: TextCompletionParams & { stream: true },
    options?: RequestOptions | null,
  ): Promise<TextCompletionStream>;
  create(
    params: TextCompletionParams & { stream?: false | null },
    options?: RequestOptions | null,
  ): Promise<TextCompletion>;
  create(
    params: TextCompletionParams,
    options?: RequestOptions | null,
  ): Promise<TextCompletionStream | TextCompletion>;
}

/** The web's `fetch`. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What requests are made with. */
export interface TempoApi {
  readonly chat: { readonly completions: Completions };
  readonly completions: TextCompletions;
  /**
   * Answers the OpenAI API's addresses as an OpenAI server does: give it to a client that takes a
   * `fetch`. They are `/v1/chat/completions`, `/v1/completions`, `/v1/responses`, `/v1/embeddings` and
   * `/v1/models`, of any origin, with any path before them, with or without `/v1`. Objective, app,
   * program and stage travel in the body's `tempo` field (`{ slo, app, program, stage }`) or in the
   * headers `x-tempo-slo` (JSON), `x-tempo-app`, `x-tempo-program` and `x-tempo-stage`.
   */
  readonly fetch: Fetch;
}

export interface AppOptions {
  /** The objective of every request that does not bring its own. Default: best-effort. */
  slo?: Slo | null;
}

/** One feature of the page. Attainment, fairness and length history are kept per app. */
export interface TempoApp extends TempoApi {
  readonly name: string;
  readonly slo: Slo;
  /** Changes the objective, for the app's live requests too. */
  setSlo(slo: Slo): Promise<void>;
  /** Needs a model of kind `embedding`: see `embeddingModels`. */
  readonly embeddings: Embeddings;
}

export interface ProgramOptions {
  /** ms for the whole program, from now. */
  deadline: number;
  /** The app it is accounted to. */
  app: string;
  /** Programs of one kind are matched with one another; default: the app. */
  kind?: string | null;
}

/** Calls with one deadline for them all. */
export interface TempoProgram extends TempoApi {
  readonly id: string;
  /** The answer is there: the program is over, and its gain is counted. */
  end(): Promise<ProgramReport>;
}

/** The methods of all of these may be passed around without their object. */
export interface Tempo {
  /** Resolves when the engine is loaded; rejects with a TempoError when it cannot be. */
  readonly ready: Promise<void>;
  readonly state: ServerState;
  readonly models: Models;
  app(name: string, options?: AppOptions | null): TempoApp;
  program(options: ProgramOptions): TempoProgram;
  /** How many tokens the prompt of such a request has (messages, tools, template). Nothing is queued. */
  countTokens(params: ChatCompletionParams): Promise<number>;
  /** As `app('default').fetch`; requests may name another app. */
  readonly fetch: Fetch;
  /** Switches engine or model; `signal` cancels the load. */
  load(choice: LoadChoice, options?: RequestOptions | null): Promise<void>;
  /** Lets go of the engine and its memory. Open requests fail with `disposed`; `load` loads again. */
  unload(): Promise<void>;
  /** Switches the scheduler between two steps, by its name in `POLICY_NAMES` or another under which it is published. */
  setPolicy(policy: AnyPolicyName): Promise<void>;
  /** Calls back at once, and on every change of state; returns how to stop. */
  onState(listener: (state: ServerState) => void): () => void;
  /** Snapshots (queue, steps, metrics, plan), at most every `intervalMs` (default 100); returns how to stop. */
  watch(listener: (snapshot: Snapshot) => void, intervalMs?: number | null): () => void;
  exportProfile(): Promise<string>;
  importProfile(profile: string): Promise<void>;
  /** Ends it all: open requests, and a load under way, fail with `disposed`. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

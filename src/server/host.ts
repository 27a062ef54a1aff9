/** What a server offers to those it serves, through a worker or directly. */
import type { AnyPolicyName, Slo, TempoErrorJson } from '../scheduler';
import type { ChatCompletionParams } from './chat-types';
import type { EmbeddingResult, EmbeddingSubmission } from './embedding-types';
import type {
  AppConfig,
  DownloadEstimate,
  ModelInfo,
  ModelPart,
  ModelSize,
  ModelStorage,
} from './model-types';
import type {
  LoadConfig,
  ProgramReport,
  ProgramStart,
  Receipt,
  RequestEvent,
  ServerState,
  Snapshot,
  Submission,
} from './server-types';

/**
 * What a host of the server offers: the worker through comlink, or a server in the page or in Node
 * directly. Errors cross as `Failure`, because a thrown error loses its fields on the way.
 */
export interface TempoHost {
  /**
   * Loads an engine in place of the one before. Requests of the engine before fail with `disposed`;
   * one that hangs is waited for 4 s in all. `load_in_progress` while another load runs.
   */
  load(config: LoadConfig): Promise<Outcome<ServerState>>;
  /** The load ends with `aborted`, within 1 s even where the engine takes no notice. */
  cancelLoad(): Promise<void>;
  /** Lets go of the engine. Its requests fail with `disposed`; a load under way is cancelled. */
  unload(): Promise<void>;
  submit(submission: Submission): Promise<Outcome<Receipt>>;
  /** Answers: that is how one knows that it is there. */
  ping(): Promise<void>;
  /** How many tokens a request's prompt has, as the model is fed it. Nothing is queued. */
  countTokens(params: ChatCompletionParams): Promise<Outcome<number>>;
  /** Vectors for texts. Resolves when they are there. */
  embed(submission: EmbeddingSubmission): Promise<Outcome<EmbeddingResult>>;
  /** Of a chat request, or one for embeddings. */
  abort(requestId: string): Promise<void>;
  startProgram(start: ProgramStart): Promise<Outcome<void>>;
  endProgram(id: string): Promise<Outcome<ProgramReport>>;
  setPolicy(policy: AnyPolicyName): Promise<Outcome<void>>;
  /** Changes an app's objective, for its live requests too. */
  setSlo(app: string, slo: Slo): Promise<Outcome<void>>;
  /** All requests' events, gathered and sent at most once a frame. */
  listen(onEvents: (events: RequestEvent[]) => void): Promise<void>;
  /** Load progress, readiness, loss: what is so now, unless it is idle, and every change. */
  listenState(onState: (state: ServerState) => void): Promise<void>;
  /** Snapshots at most every `intervalMs`; returns a handle for `unwatch`. */
  watch(onSnapshot: (snapshot: Snapshot) => void, intervalMs: number): Promise<number>;
  unwatch(handle: number): Promise<void>;
  /** What was learnt about lengths and programs, without any text: JSON. */
  exportProfile(): Promise<string>;
  importProfile(profile: string): Promise<Outcome<void>>;
  /** Every model that there is: WebLLM's list, or that of `appConfig`. */
  listModels(appConfig?: AppConfig): Promise<Outcome<ModelInfo[]>>;
  /** What the browser keeps of the model `id`, or of all of which it keeps anything. */
  storedModels(id?: string, appConfig?: AppConfig): Promise<Outcome<ModelStorage[]>>;
  /** Asks the model's server how large it is. */
  modelSize(id: string, appConfig?: AppConfig): Promise<Outcome<ModelSize>>;
  /** What is still to be downloaded of a model, and whether it fits. */
  estimateModel(id: string, appConfig?: AppConfig): Promise<Outcome<DownloadEstimate>>;
  /** Deletes what is kept of a model, or one part of that: how many bytes it was. */
  deleteModel(id: string, appConfig?: AppConfig, part?: ModelPart): Promise<Outcome<number>>;
  /** Open requests fail with `disposed`; an engine that hangs is waited for 4 s in all. */
  dispose(): Promise<void>;
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: TempoErrorJson };

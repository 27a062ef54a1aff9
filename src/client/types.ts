/** The client's public types: what web developers program against. */
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  LoadConfig,
  PolicyName,
  ProgramReport,
  ServerState,
  Slo,
  Snapshot,
  TempoHost,
} from '../worker/protocol';

export interface TempoOptions extends Partial<LoadConfig> {
  /** `webllm` needs WebGPU; `simulated` runs anywhere and says so in every answer. Default: `webllm`. */
  engine?: LoadConfig['engine'];
  /** Where the server runs. Default: a Web Worker of its own. */
  host?: TempoHost;
}

export interface RequestOptions {
  signal?: AbortSignal;
}

/** A streaming answer: iterate its chunks, or stop early with `break`, which aborts the request. */
export interface ChatCompletionStream extends AsyncIterable<ChatCompletionChunk> {
  readonly id: string;
  /** Expected time until the request is first served, ms; updated while it waits. */
  readonly estimatedWaitMs: number;
  abort(): void;
}

export interface Completions {
  create(
    params: ChatCompletionParams & { stream: true },
    options?: RequestOptions,
  ): Promise<ChatCompletionStream>;
  create(
    params: ChatCompletionParams & { stream?: false },
    options?: RequestOptions,
  ): Promise<ChatCompletion>;
  create(
    params: ChatCompletionParams,
    options?: RequestOptions,
  ): Promise<ChatCompletionStream | ChatCompletion>;
}

export interface AppOptions {
  /** The objective of every request that does not bring its own. Default: best-effort. */
  slo?: Slo;
}

/** One feature of the page. Attainment, fairness and length history are kept per app. */
export interface TempoApp {
  readonly name: string;
  readonly slo: Slo;
  /** Changes the objective, for the app's live requests too. */
  setSlo(slo: Slo): Promise<void>;
  readonly chat: { readonly completions: Completions };
}

export interface ProgramOptions {
  /** ms for the whole program, from now. */
  deadline: number;
  /** The app it is accounted to. */
  app: string;
  /** Programs of one kind are matched with one another; default: the app. */
  kind?: string;
}

/** Calls with one deadline for them all. */
export interface TempoProgram {
  readonly id: string;
  readonly chat: { readonly completions: Completions };
  /** The answer is there: the program is over, and its gain is counted. */
  end(): Promise<ProgramReport>;
}

export interface Tempo {
  /** Resolves when the engine is loaded; rejects with a TempoError when it cannot be. */
  readonly ready: Promise<void>;
  readonly state: ServerState;
  app(name: string, options?: AppOptions): TempoApp;
  program(options: ProgramOptions): TempoProgram;
  /** Switches engine or model; `signal` cancels the load. */
  load(
    config: Pick<LoadConfig, 'engine' | 'model'> & Partial<LoadConfig>,
    options?: RequestOptions,
  ): Promise<void>;
  setPolicy(policy: PolicyName): Promise<void>;
  /** Calls back on every change of state; returns how to stop. */
  onState(listener: (state: ServerState) => void): () => void;
  /** Snapshots (queue, steps, metrics, plan), at most every `intervalMs` (default 100); returns how to stop. */
  watch(listener: (snapshot: Snapshot) => void, intervalMs?: number): () => void;
  exportProfile(): Promise<string>;
  importProfile(profile: string): Promise<void>;
  dispose(): Promise<void>;
}

import type { Embedder } from '../engine/embedder';
import type { LoadOptions, LoadProgress, StepEngine } from '../engine/step-engine';
import { unlessAborted, within } from '../engine/within';
import { type Clock, createPolicy, type PolicyName, type Slo, TempoError } from '../scheduler';
import type { ChatCompletionParams } from './chat-types';
import type { EmbeddingResult, EmbeddingSubmission } from './embedding-types';
import type { Embeddings } from './embeddings';
import { ENGINES, type EngineKinds, isLoadConfig, readLoadConfig } from './engines';
import type { Outcome, TempoHost } from './host';
import { FRAME_MS, Listener, Outbox } from './outbox';
import { plain } from './plain';
import { parseProfile } from './profile';
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
import { DISPOSE_WITHIN_MS, duplicate, Serving } from './serving';
import { snapshotOf } from './snapshot';
import { plainSubmission, readAppSlo } from './validate';
import { yieldToEventLoop } from './yield';

/** A download reports more often than anybody reads, ms. */
const PROGRESS_EVERY_MS = 50;

/** As the scheduler has it for chat requests. */
const DEFAULT_MAX_WAITING = 10_000;
const DEFAULT_BEST_EFFORT_SHARE = 0.05;

/** Told of what happens to requests, several events at a time. */
export type EventListener = (events: RequestEvent[]) => void;
/** Whether a listener is to hear of a request. */
export type IsMine = (requestId: string) => boolean;

export interface TempoServerOptions {
  /** Monotonic time. Default: the platform's. */
  clock?: Clock;
  /**
   * Kinds of engine in place of the built-in ones.
   *
   * @internal
   */
  engines?: Partial<EngineKinds>;
}

/**
 * A whole server: loads engines, takes OpenAI-shaped requests, and tells listeners what becomes of
 * them. Runs in a worker, in a page, or in Node.
 */
export class TempoServer implements TempoHost {
  readonly #clock: Clock;
  readonly #engines: EngineKinds;
  #serving: Serving | undefined;
  /** Where embedding models are loaded, beside a chat model or alone. */
  #embeddings: Embeddings | undefined;
  #state: ServerState = { phase: 'idle' };
  #policy: PolicyName = 'tempo';
  /** The load under way. */
  #loading: AbortController | undefined;
  /** The latest load, and what came of it. */
  #latest: { config: LoadConfig; outcome: Promise<Outcome<ServerState>> } | undefined;
  /** The reload under way after a loss, and who waits for it. */
  #recovery: { controller: AbortController; over: Promise<void>; end: () => void } | undefined;
  /** The load that others wait for: WebLLM's are told apart by the device that is made meanwhile. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Submissions that are being checked, load their images, or wait for a lost engine to come back. */
  readonly #arriving = new Map<string, AbortController>();
  readonly #listeners = new Map<EventListener, { outbox: Outbox<RequestEvent>; mine: IsMine }>();
  readonly #stateListeners = new Map<(state: ServerState) => void, Listener<ServerState>>();
  readonly #watchers = new Map<number, Outbox<null>>();
  #handles = 0;
  #disposed = false;

  constructor(options: TempoServerOptions = {}) {
    this.#clock = options.clock ?? performance;
    this.#engines = { ...ENGINES, ...options.engines };
  }

  load(config: LoadConfig): Promise<Outcome<ServerState>> {
    if (this.#loading !== undefined) {
      return outcome(() => {
        throw new TempoError(
          'load_in_progress',
          'Another load is under way. Wait for it, or cancel it first.',
        );
      });
    }
    const loading = outcome(async () => {
      if (this.#disposed) throw disposed();
      const controller = new AbortController();
      this.#loading = controller;
      try {
        const read = await this.#read(config);
        if (controller.signal.aborted) throw controller.signal.reason;
        return await this.#replace(read, controller.signal);
      } finally {
        this.#loading = undefined;
      }
    });
    this.#latest = { config, outcome: loading };
    return loading;
  }

  /** The load of this very engine and model that is under way or was done, if there is one. */
  joinable(config: LoadConfig): Promise<Outcome<ServerState>> | undefined {
    const latest = this.#latest;
    const live = this.#loading !== undefined || this.#loadedAny;
    if (!live || latest === undefined || !isLoadConfig(config)) return undefined;
    return serves(latest.config, config) ? latest.outcome : undefined;
  }

  async cancelLoad(): Promise<void> {
    this.#loading?.abort(new TempoError('aborted', 'The load was cancelled.'));
  }

  async unload(): Promise<void> {
    await this.cancelLoad();
    await this.#unload(new TempoError('disposed', 'The engine was unloaded. Load it again first.'));
    if (this.#loading === undefined && !this.#disposed) this.#setState({ phase: 'idle' });
  }

  submit(given: Submission): Promise<Outcome<Receipt>> {
    return outcome(async () => {
      const submission = plainSubmission(given);
      const { id } = submission;
      if (this.#arriving.has(id)) throw duplicate(id);
      const controller = new AbortController();
      this.#arriving.set(id, controller);
      try {
        const { serving, chat } = await this.#onLiveEngine(async (live) => ({
          serving: live,
          chat: await live.prepare(submission, controller.signal),
        }));
        controller.signal.throwIfAborted();
        return serving.submit(submission, chat);
      } finally {
        this.#arriving.delete(id);
      }
    });
  }

  embed(submission: EmbeddingSubmission): Promise<Outcome<EmbeddingResult>> {
    return outcome(() => {
      if (this.#embeddings !== undefined) return this.#embeddings.embed(submission);
      const { id: model } = this.#loaded().engine.model;
      throw new TempoError(
        'unsupported',
        `No embedding model is loaded, but the chat model "${model}" alone. Name one in embeddingModels when you load; models.list() has those of the kind embedding.`,
        { param: 'model' },
      );
    });
  }

  async abort(requestId: string): Promise<void> {
    const aborted = new TempoError('aborted', 'The request was aborted by its caller.');
    this.#arriving.get(requestId)?.abort(aborted);
    this.#serving?.abort(requestId);
    this.#embeddings?.abort(requestId);
  }

  countTokens(params: ChatCompletionParams): Promise<Outcome<number>> {
    return outcome(() => {
      const request = plain(params, '');
      return this.#onLiveEngine((live) => live.countTokens(request));
    });
  }

  startProgram(start: ProgramStart): Promise<Outcome<void>> {
    return outcome(() => this.#loaded().startProgram(start));
  }

  endProgram(id: string): Promise<Outcome<ProgramReport>> {
    return outcome(() => this.#loaded().endProgram(id));
  }

  setPolicy(policy: PolicyName): Promise<Outcome<void>> {
    return outcome(() => {
      createPolicy(policy); // throws unknown_policy
      this.#policy = policy;
      this.#serving?.setPolicy(policy);
      this.#changed();
    });
  }

  setSlo(app: string, slo: Slo): Promise<Outcome<void>> {
    return outcome(() => {
      this.#serving?.setSlo(app, readAppSlo(app, slo));
    });
  }

  /** With `mine`, the events of some requests alone. */
  async listen(onEvents: EventListener, mine: IsMine = () => true): Promise<void> {
    this.#listeners.set(onEvents, { outbox: new Outbox(onEvents), mine });
  }

  async listenState(onState: (state: ServerState) => void): Promise<void> {
    const listener = new Listener(onState);
    this.#stateListeners.set(onState, listener);
    listener.tell(this.#state);
  }

  /** Tells these listeners nothing more. */
  unlisten(listener: EventListener | ((state: ServerState) => void)): void {
    const onEvents = listener as EventListener;
    this.#listeners.get(onEvents)?.outbox.close();
    this.#listeners.delete(onEvents);
    this.#stateListeners.delete(listener as (state: ServerState) => void);
  }

  async watch(onSnapshot: (snapshot: Snapshot) => void, intervalMs: number): Promise<number> {
    let seen = this.#serving?.timeline.latest ?? 0;
    let of = this.#serving;
    const send = () => {
      if (of !== this.#serving) seen = 0;
      of = this.#serving;
      const snapshot = this.#snapshot(seen);
      seen = this.#serving?.timeline.latest ?? 0;
      return onSnapshot(snapshot);
    };
    const outbox = new Outbox<null>(send, Math.max(FRAME_MS, intervalMs));
    const handle = ++this.#handles;
    this.#watchers.set(handle, outbox);
    outbox.replace(null);
    return handle;
  }

  async unwatch(handle: number): Promise<void> {
    this.#watchers.get(handle)?.close();
    this.#watchers.delete(handle);
  }

  /** What was learnt so far: of lengths and of programs, no text. Empty before the first load. */
  async exportProfile(): Promise<string> {
    return JSON.stringify(this.#serving?.exportProfile() ?? {});
  }

  importProfile(profile: string): Promise<Outcome<void>> {
    return outcome(() => this.#loaded().importProfile(parseProfile(profile)));
  }

  listModels: TempoHost['listModels'] = (appConfig) =>
    outcome(async () => (await models()).list(appConfig));

  storedModels: TempoHost['storedModels'] = (id, appConfig) =>
    outcome(async () => (await models()).stored(id, appConfig));

  modelSize: TempoHost['modelSize'] = (id, appConfig) =>
    outcome(async () => (await models()).size(id, appConfig));

  estimateModel: TempoHost['estimateModel'] = (id, appConfig) =>
    outcome(async () => (await models()).estimate(id, appConfig));

  deleteModel: TempoHost['deleteModel'] = (id, appConfig, part) =>
    outcome(async () => {
      if (this.#loading === undefined) return (await models()).remove(id, appConfig, part);
      const sentence = 'A load is under way, and needs what it finds. Wait for it, or cancel it.';
      throw new TempoError('load_in_progress', sentence);
    });

  /** Fails whatever is open, and lets go of the engine. Nothing can be loaded afterwards. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.cancelLoad();
    await this.#unload(disposed());
    this.#setState({ phase: 'idle' });
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Throws where nothing is given up for it: what was loaded before goes on. */
  async #read(config: LoadConfig): Promise<LoadConfig> {
    try {
      const read = readLoadConfig(config);
      await this.#engines[read.engine].check(read);
      return read;
    } catch (thrown) {
      const error = TempoError.from(thrown);
      if (!this.#loadedAny) this.#setState({ phase: 'failed', error: error.toJSON() });
      throw error;
    }
  }

  /** Loads in place of what was loaded before. */
  async #replace(config: LoadConfig, signal: AbortSignal): Promise<ServerState> {
    this.#policy = config.policy;
    this.#setState({
      phase: 'loading',
      progress: { phase: 'download', text: `Loading ${config.model}.`, fraction: 0 },
    });
    await this.#unload(
      new TempoError('disposed', 'The engine was replaced by another. Send the request again.'),
    );
    let engines: Engines;
    try {
      engines = await this.#loadAll(config, signal);
    } catch (thrown) {
      const error = TempoError.from(thrown);
      this.#setState(
        signal.aborted ? { phase: 'idle' } : { phase: 'failed', error: error.toJSON() },
      );
      throw error;
    }
    this.#embeddings = engines.embeddings;
    if (engines.chat === undefined) return this.#ready(embedderState(config, engines.first));
    this.#serving = this.#serve({ ...config, policy: this.#policy }, engines.chat);
    return this.#ready(chatState(this.#serving));
  }

  #ready({ engine, ...state }: ReadyState): ServerState {
    const embeddingModels = this.#embeddings?.models;
    return this.#setState({
      ...state,
      engine: embeddingModels === undefined ? engine : { ...engine, embeddingModels },
    });
  }

  get #loadedAny(): boolean {
    return this.#serving !== undefined || this.#embeddings !== undefined;
  }

  /** The embedding models first: the chat model's cache takes what memory is left. */
  async #loadAll(config: LoadConfig, signal: AbortSignal): Promise<Engines> {
    const alone = (await this.#engines[config.engine].embeds?.(config)) ?? false;
    const { model, embeddingModels = [] } = config;
    const names = [...new Set([...(alone ? [model] : []), ...embeddingModels])];
    if (names.length === 0) return { chat: await this.#loadEngine(config, signal) };
    const { Embeddings } = await import('./embeddings');
    const parts = names.length + (alone ? 0 : 1);
    const embedders: Embedder[] = [];
    try {
      for (const [part, name] of names.entries()) {
        embedders.push(await this.#loadEmbedder(name, config, signal, { part, parts }));
      }
      const share = { part: names.length, parts };
      const chat = alone ? undefined : await this.#loadEngine(config, signal, share);
      const embeddings = this.#embedWith(Embeddings, embedders, config);
      return chat ? { chat, embeddings } : { embeddings, first: embedders[0] };
    } catch (thrown) {
      await Promise.all(embedders.map((embedder) => embedder.dispose()));
      throw thrown;
    }
  }

  #loadEngine(config: LoadConfig, signal: AbortSignal, share?: Share): Promise<StepEngine> {
    const kind = this.#engines[config.engine];
    return this.#loadOne((options) => kind.load(config, options), signal, share);
  }

  #loadEmbedder(
    model: string,
    config: LoadConfig,
    signal: AbortSignal,
    share?: Share,
  ): Promise<Embedder> {
    const { loadEmbedder } = this.#engines[config.engine];
    if (loadEmbedder === undefined) {
      throw new TempoError('unsupported', `The engine ${config.engine} has no embedding models.`, {
        param: 'embeddingModels',
      });
    }
    return this.#loadOne((options) => loadEmbedder(model, config, options), signal, share);
  }

  /** Throws `aborted` where the load was cancelled, even if the engine took no notice. */
  async #loadOne<Engine extends { dispose(): Promise<void> }>(
    load: (options: LoadOptions) => Promise<Engine>,
    signal: AbortSignal,
    { part, parts }: Share = { part: 0, parts: 1 },
  ): Promise<Engine> {
    let toldMs = Number.NEGATIVE_INFINITY;
    const onProgress = (progress: LoadProgress) => {
      const state = this.#state;
      if (signal.aborted || state.phase !== 'loading') return;
      if (progress.phase === 'ready' && part < parts - 1) return;
      const isNews = state.progress.phase !== progress.phase;
      if (!isNews && performance.now() < toldMs + PROGRESS_EVERY_MS) return;
      toldMs = performance.now();
      const fraction = (part + progress.fraction) / parts;
      this.#setState({ phase: 'loading', progress: { ...progress, fraction } });
    };
    const loading = this.#inTurn(signal, () => load({ signal, onProgress }));
    try {
      const engine = await unlessAborted(loading, signal);
      signal.throwIfAborted();
      return engine;
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      // It may come all the same, now or much later, and is to go then.
      const gone = loading.then((engine) => engine.dispose());
      await within(DISPOSE_WITHIN_MS, gone);
      throw TempoError.from(signal.reason, 'aborted');
    }
  }

  /** One load after the other. */
  #inTurn<T>(signal: AbortSignal, load: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const loading = (async () => {
      await unlessAborted(before, signal);
      return load();
    })();
    // One that hangs is over for the others when it is cancelled.
    this.#turn = unlessAborted(loading, signal).catch(() => {});
    return loading;
  }

  #embedWith(
    Kind: typeof Embeddings,
    embedders: readonly Embedder[],
    config: LoadConfig,
  ): Embeddings {
    const controller = new AbortController();
    const embeddings: Embeddings = new Kind({
      embedders,
      controller,
      reload: (model) => this.#loadEmbedder(model, config, controller.signal),
      clock: this.#clock,
      maxWaiting: config.maxWaiting ?? DEFAULT_MAX_WAITING,
      bestEffortShare: config.bestEffortShare ?? DEFAULT_BEST_EFFORT_SHARE,
      wake: () => {
        if (this.#serving !== undefined) this.#serving.wake();
        else void embeddings.runAlone();
      },
    });
    return embeddings;
  }

  #serve(config: LoadConfig, engine: StepEngine): Serving {
    let recovery = newRecovery();
    const serving: Serving = new Serving({
      engine,
      config,
      clock: this.#clock,
      emit: (event) => {
        for (const { outbox, mine } of this.#listeners.values()) {
          if (mine(event.id)) outbox.push(event);
        }
      },
      changed: () => this.#changed(),
      between: async (idle) => (await this.#embeddings?.turn(idle)) ?? false,
      recovering: (attempt) => {
        recovery = this.#recovery ??= newRecovery();
        this.#setState({ phase: 'recovering', attempt });
      },
      reload: () => this.#loadEngine(config, recovery.controller.signal),
      recovered: () => {
        this.#ready(chatState(serving));
        this.#endRecovery();
      },
      failed: (error) => {
        this.#serving = undefined;
        void this.#embeddings?.dispose(error);
        this.#embeddings = undefined;
        this.#setState({ phase: 'failed', error: error.toJSON() });
        this.#endRecovery();
      },
    });
    return serving;
  }

  async #unload(reason: TempoError): Promise<void> {
    const serving = this.#serving;
    const embeddings = this.#embeddings;
    this.#serving = undefined;
    this.#embeddings = undefined;
    this.#recovery?.controller.abort(reason);
    await Promise.all([serving?.dispose(reason), embeddings?.dispose(reason)]);
    this.#endRecovery();
  }

  #endRecovery(): void {
    this.#recovery?.end();
    this.#recovery = undefined;
  }

  /** Waits out a lost device, however often it is lost. */
  async #onLiveEngine<T>(run: (serving: Serving) => Promise<T>): Promise<T> {
    while (true) {
      await this.#recovery?.over;
      const serving = this.#loaded();
      try {
        return await run(serving);
      } catch (thrown) {
        if (!(thrown instanceof TempoError) || thrown.code !== 'engine_lost') throw thrown;
        await yieldToEventLoop();
      }
    }
  }

  #loaded(): Serving {
    if (this.#disposed) throw disposed();
    if (this.#serving !== undefined) return this.#serving;
    if (this.#embeddings !== undefined) {
      throw new TempoError(
        'unsupported',
        `Only embeddings are served here, by ${this.#embeddings.models.join(', ')}. Load a chat model, with these in embeddingModels.`,
        { param: 'model' },
      );
    }
    const { phase } = this.#state;
    if (phase === 'loading') {
      throw new TempoError('not_loaded', 'The engine is still loading. Wait until it is ready.');
    }
    const why =
      this.#state.phase === 'failed' ? `The engine failed: ${this.#state.error.message} ` : '';
    throw new TempoError('not_loaded', `${why}Load an engine first.`);
  }

  #setState(state: ServerState): ServerState {
    this.#state = state;
    for (const listener of this.#stateListeners.values()) listener.tell(state);
    this.#changed();
    return state;
  }

  #changed(): void {
    for (const watcher of this.#watchers.values()) watcher.replace(null);
  }

  #snapshot(seen: number): Snapshot {
    return snapshotOf(this.#serving, seen, {
      atMs: this.#clock.now(),
      state: this.#state,
      policy: this.#policy,
    });
  }
}

/** Imported when it is asked for the first time. */
const models = () => import('./models');

/** What one load makes. */
type Engines =
  | { chat: StepEngine; embeddings?: Embeddings }
  | { chat?: undefined; embeddings: Embeddings; first: Embedder };

/** Which part of a whole load one is. */
interface Share {
  part: number;
  parts: number;
}

/** Whether what was loaded for `config` is what `wanted` asks for. */
function serves(config: LoadConfig, wanted: LoadConfig): boolean {
  if (config.engine !== wanted.engine || config.model !== wanted.model) return false;
  const there = config.embeddingModels ?? [];
  return (wanted.embeddingModels ?? []).every((model) => there.includes(model));
}

type ReadyState = Extract<ServerState, { phase: 'ready' }>;

function chatState({ engine, limits }: Serving): ReadyState {
  return { phase: 'ready', engine: engine.status, limits };
}

/** Where there is no chat model. */
function embedderState(
  { engine, model }: LoadConfig,
  { device, contextWindow }: Embedder,
): ReadyState {
  const notes = ['Only embeddings are served; no chat model is loaded.'];
  return {
    phase: 'ready',
    engine: { kind: engine, model, device, mode: 'batched', notes, kvBytes: 0 },
    limits: {
      contextWindow,
      maxPromptTokens: contextWindow,
      defaults: { temperature: 1, topP: 1 },
      images: false,
    },
  };
}

function newRecovery() {
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { controller: new AbortController(), over, end };
}

function disposed(): TempoError {
  return new TempoError('disposed', 'This Tempo was disposed. Create a new one.');
}

/** Errors as values: a thrown error loses its fields on its way to another thread. */
async function outcome<T>(run: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await run() };
  } catch (thrown) {
    return { ok: false, error: TempoError.from(thrown).toJSON() };
  }
}

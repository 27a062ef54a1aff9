import type { Embedder } from '../engine/embedder';
import type { LoadOptions, LoadProgress, StepEngine } from '../engine/step-engine';
import { alarm, inTime, unlessAborted } from '../engine/within';
import { yieldToEventLoop } from '../engine/yield';
import {
  type AnyPolicyName,
  type Clock,
  type PolicyName,
  type Slo,
  TempoError,
} from '../scheduler';
import { aborted } from './aborted';
import type { ChatCompletionParams } from './chat-types';
import type { EmbeddingResult, EmbeddingSubmission } from './embedding-types';
import type { Embeddings } from './embeddings';
import { checkNumbers } from './engine-socket';
import { ENGINES, type EngineKinds } from './engines';
import type { Outcome, TempoHost } from './host';
import { FRAME_MS, Listener, Outbox } from './outbox';
import { part } from './part';
import { plain } from './plain';
import { letGo, Recovery } from './recovery';
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
import { duplicate, Serving } from './serving';
import { snapshotOf } from './snapshot';
import { NOTHING_SEEN, type Seen } from './timeline';
import { Turns } from './turns';
import { plainSubmission, readAppSlo } from './validate';
import { alone, isRecord, number, text } from './validate/fields';
import type { ReadConfig } from './validate/load-config';
import { policyName } from './validate/policy';

/** A download reports more often than anybody reads, ms. */
const PROGRESS_EVERY_MS = 50;

/** A load that is cancelled has a moment to notice, ms; a second in all is promised. */
const CANCEL_WITHIN_MS = 800;

/** A load that says nothing for so long is over, ms. */
export const LOAD_SILENT_MS = 5 * 60_000;
/** One that was done before, after a loss: at least this, or so many times as long as it took then. */
export const RELOAD_SILENT_MS = 60_000;
const RELOAD_PATIENCE = 4;

/** What a timer can be set to. */
const interval = number('a number of milliseconds', (ms) => ms >= 0 && ms < 2 ** 31);

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
  #policySinceMs = 0;
  /** How often a policy was chosen by itself, without a load. */
  #policyChosen = 0;
  /** The load under way. */
  #loading: AbortController | undefined;
  /** The latest load, and what came of it. */
  #latest: { config: LoadConfig; outcome: Promise<Outcome<ServerState>> } | undefined;
  /** What was loaded before is being let go of. */
  #leaving: Promise<unknown> = Promise.resolve();
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
      const chosen = this.#policyChosen;
      try {
        const read = await unlessAborted(this.#read(config), controller.signal);
        // Who chose a policy since then meant this engine, too.
        const policy = chosen === this.#policyChosen ? read.policy : this.#policy;
        return await this.#replace({ ...read, policy }, controller.signal);
      } finally {
        this.#loading = undefined;
      }
    });
    const before = this.#latest;
    const latest = { config, outcome: loading };
    if (canBeCompared(config)) this.#latest = latest;
    void loading.then(({ ok }) => {
      if (!ok && this.#latest === latest) this.#latest = before; // it goes on, if it was not replaced
    });
    return loading;
  }

  /** The load of this very engine and model that is under way or was done, if there is one. */
  joinable(config: LoadConfig): Promise<Outcome<ServerState>> | undefined {
    const latest = this.#latest;
    const live = this.#loading !== undefined || this.#loadedAny;
    if (!live || latest === undefined || !canBeCompared(config)) return undefined;
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
      const turns = new Turns();
      const submission = plainSubmission(given);
      const { id } = submission;
      if (this.#arriving.has(id)) throw duplicate(id);
      const controller = new AbortController();
      this.#arriving.set(id, controller);
      try {
        await turns.give();
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

  async ping(): Promise<void> {}

  async abort(requestId: string): Promise<void> {
    this.#arriving.get(requestId)?.abort(aborted());
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
    return outcome(() => this.#loaded().endProgram(alone(text, id, 'program')));
  }

  setPolicy(policy: AnyPolicyName): Promise<Outcome<void>> {
    return outcome(() => {
      const name = alone(policyName, policy, 'policy');
      if (name !== this.#policy) this.#policySinceMs = this.#clock.now();
      this.#policy = name;
      this.#policyChosen++;
      this.#serving?.setPolicy(name);
      this.#changed();
    });
  }

  setSlo(app: string, slo: Slo): Promise<Outcome<void>> {
    return outcome(() => {
      const read = readAppSlo(app, slo); // whether anything is loaded or not
      this.#serving?.setSlo(app, read);
    });
  }

  /** With `mine`, the events of some requests alone. */
  async listen(onEvents: EventListener, mine: IsMine = () => true): Promise<void> {
    this.#listeners.set(onEvents, { outbox: new Outbox(onEvents), mine });
  }

  async listenState(onState: (state: ServerState) => void): Promise<void> {
    const listener = new Listener(onState);
    this.#stateListeners.set(onState, listener);
    // Who listens may have begun a load, which is on its way: idleness would be old news.
    if (this.#state.phase !== 'idle') listener.tell(this.#state);
  }

  /** Tells these listeners nothing more. */
  unlisten(listener: EventListener | ((state: ServerState) => void)): void {
    const onEvents = listener as EventListener;
    this.#listeners.get(onEvents)?.outbox.close();
    this.#listeners.delete(onEvents);
    this.#stateListeners.delete(listener as (state: ServerState) => void);
  }

  async watch(onSnapshot: (snapshot: Snapshot) => void, intervalMs: number): Promise<number> {
    alone(interval, intervalMs, 'intervalMs');
    let seen = this.#serving?.timeline.latest ?? NOTHING_SEEN;
    let of = this.#serving;
    const send = () => {
      if (of !== this.#serving) seen = NOTHING_SEEN;
      of = this.#serving;
      const snapshot = this.#snapshot(seen);
      seen = this.#serving?.timeline.latest ?? NOTHING_SEEN;
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
    return outcome(async () => {
      const { scheduler } = this.#loaded();
      const { mergeProfile, readProfile } = await import('./profile');
      await mergeProfile(scheduler, await readProfile(profile));
    });
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
  async #read(config: LoadConfig): Promise<ReadConfig> {
    try {
      return await inTime(LOAD_SILENT_MS, this.#checked(config), silent);
    } catch (thrown) {
      const error = TempoError.from(thrown);
      if (!this.#loadedAny) this.#setState({ phase: 'failed', error: error.toJSON() });
      throw error;
    }
  }

  async #checked(config: LoadConfig): Promise<ReadConfig> {
    const { readLoadConfig } = await import('./validate/load-config');
    const read = readLoadConfig(config);
    await this.#engines[read.engine].check(read);
    return read;
  }

  /** Loads in place of what was loaded before. */
  async #replace(config: ReadConfig, signal: AbortSignal): Promise<ServerState> {
    this.#policy = config.policy;
    this.#setState({
      phase: 'loading',
      progress: { phase: 'download', text: `Loading ${config.model}.`, fraction: 0 },
    });
    const replaced = 'The engine was replaced by another. Send the request again.';
    const startMs = performance.now();
    try {
      await unlessAborted(this.#unload(new TempoError('disposed', replaced)), signal);
      const loading = this.#loadAll(config, signal);
      const engines = await unlessAborted(loading, signal, CANCEL_WITHIN_MS);
      if (engines.chat === undefined) {
        this.#embeddings = engines.embeddings;
        return this.#ready(embedderState(config, engines.first));
      }
      const loadMs = performance.now() - startMs;
      const serving = this.#serve({ ...config, policy: this.#policy }, engines.chat, loadMs);
      this.#embeddings = engines.embeddings;
      this.#serving = serving;
      this.#policySinceMs = this.#clock.now();
      return this.#ready(chatState(serving));
    } catch (thrown) {
      const error = TempoError.from(thrown);
      this.#setState(
        signal.aborted ? { phase: 'idle' } : { phase: 'failed', error: error.toJSON() },
      );
      throw error;
    }
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
    const { Embeddings } = await part(() => import('./embeddings'));
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
      await Promise.all(embedders.map((embedder) => letGo(embedder)));
      throw thrown;
    }
  }

  #loadEngine(
    config: LoadConfig,
    signal: AbortSignal,
    share?: Share,
    silentMs?: number,
  ): Promise<StepEngine> {
    const kind = this.#engines[config.engine];
    const load = async (options: LoadOptions) => {
      const engine = await kind.load(config, options);
      try {
        checkNumbers(engine);
        return engine;
      } catch (thrown) {
        await letGo(engine);
        throw thrown;
      }
    };
    return this.#loadOne(load, signal, share, silentMs);
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

  /** Throws `aborted` where the load was cancelled, or was silent for long, even if the engine took no notice. */
  async #loadOne<Engine extends { dispose(): Promise<void> }>(
    load: (options: LoadOptions) => Promise<Engine>,
    cancel: AbortSignal,
    { part, parts }: Share = { part: 0, parts: 1 },
    silentMs = LOAD_SILENT_MS,
  ): Promise<Engine> {
    let toldMs = Number.NEGATIVE_INFINITY;
    const silence = new AbortController();
    const signal = AbortSignal.any([cancel, silence.signal]);
    const listen = () => alarm(silentMs, () => silence.abort(silent()));
    let disarm = listen();
    let over = false;
    const onProgress = (progress: LoadProgress) => {
      if (over) return;
      disarm();
      disarm = listen();
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
      await letGo({ dispose: async () => (await loading).dispose() }, CANCEL_WITHIN_MS / 2);
      throw TempoError.from(signal.reason, 'aborted');
    } finally {
      disarm();
      over = true;
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

  #serve(config: LoadConfig, engine: StepEngine, loadMs: number): Serving {
    const silentMs = Math.max(RELOAD_SILENT_MS, RELOAD_PATIENCE * loadMs);
    const recovery = new Recovery({
      reload: (signal) => this.#loadEngine(config, signal, undefined, silentMs),
      trying: (attempt) => this.#setState({ phase: 'recovering', attempt }),
      recovered: () => this.#ready(chatState(serving)),
      failed: (error) => {
        this.#serving = undefined;
        void this.#embeddings?.dispose(error);
        this.#embeddings = undefined;
        this.#setState({ phase: 'failed', error: error.toJSON() });
      },
    });
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
      recovery,
    });
    return serving;
  }

  async #unload(reason: TempoError): Promise<void> {
    const serving = this.#serving;
    const embeddings = this.#embeddings;
    this.#serving = undefined;
    this.#embeddings = undefined;
    serving?.recovery.cancel(reason);
    this.#leaving = Promise.all([
      this.#leaving,
      serving?.dispose(reason),
      embeddings?.dispose(reason),
    ]);
    await this.#leaving;
    serving?.recovery.end();
  }

  /** Waits out a lost device, however often it is lost. */
  async #onLiveEngine<T>(run: (serving: Serving) => Promise<T>): Promise<T> {
    while (true) {
      await this.#serving?.recovery.over;
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

  #snapshot(seen: Seen): Snapshot {
    return snapshotOf(this.#serving, seen, {
      atMs: this.#clock.now(),
      state: this.#state,
      policy: this.#policy,
      policySinceMs: this.#policySinceMs,
    });
  }
}

/** Imported when it is asked for the first time. */
const models = () => part(() => import('./models'));

/** What one load makes. */
type Engines =
  | { chat: StepEngine; embeddings?: Embeddings }
  | { chat?: undefined; embeddings: Embeddings; first: Embedder };

/** Which part of a whole load one is. */
interface Share {
  part: number;
  parts: number;
}

/** What else is wrong with it is told when it is read. */
function canBeCompared(config: unknown): boolean {
  try {
    return isRecord(config) && Array.isArray(config.embeddingModels ?? []);
  } catch {
    return false; // a getter that throws
  }
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

function silent(): TempoError {
  return new TempoError(
    'network',
    'The load made no progress for too long: a download, or the GPU, does not answer. Load again.',
  );
}

function disposed(): TempoError {
  return new TempoError(
    'disposed',
    'This server was disposed, with the Tempo that it served. Give every Tempo a server of its own.',
  );
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** Errors as values: a thrown error loses its fields on its way to another thread. */
async function outcome<T>(run: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await run() };
  } catch (thrown) {
    const { message, param, ...error } = TempoError.from(thrown).toJSON();
    // It may quote what a caller sent, but not all of it.
    return {
      ok: false,
      error: { ...error, message: cut(message, 2000), param: param && cut(param, 300) },
    };
  }
}

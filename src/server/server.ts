import type { LoadProgress, StepEngine } from '../engine/step-engine';
import { unlessAborted, within } from '../engine/within';
import { type Clock, createPolicy, type PolicyName, type Slo, TempoError } from '../scheduler';
import type { ChatCompletionParams } from './chat-types';
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

type EventListener = (events: RequestEvent[]) => void;
type IsMine = (requestId: string) => boolean;

export interface TempoServerOptions {
  /** Monotonic time. Default: the platform's. */
  clock?: Clock;
  /** Kinds of engine in place of the built-in ones. */
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
  #state: ServerState = { phase: 'idle' };
  #policy: PolicyName = 'tempo';
  /** The load under way. */
  #loading: AbortController | undefined;
  /** The latest load, and what came of it. */
  #latest: { config: LoadConfig; outcome: Promise<Outcome<ServerState>> } | undefined;
  /** The reload under way after a loss, and who waits for it. */
  #recovery: { controller: AbortController; over: Promise<void>; end: () => void } | undefined;
  /** Submissions that are being checked, or wait for a lost engine to come back. */
  readonly #arriving = new Set<string>();
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
    const { config: before, outcome: latest } = this.#latest ?? {};
    const live = this.#loading !== undefined || this.#serving !== undefined;
    const same = before?.engine === config?.engine && before?.model === config?.model;
    return live && same && isLoadConfig(config) ? latest : undefined;
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
      this.#arriving.add(id);
      try {
        const { serving, chat } = await this.#onLiveEngine(async (live) => ({
          serving: live,
          chat: await live.prepare(submission),
        }));
        if (!this.#arriving.has(id)) throw new TempoError('aborted', 'Aborted by its caller.');
        return serving.submit(submission, chat);
      } finally {
        this.#arriving.delete(id);
      }
    });
  }

  async abort(requestId: string): Promise<void> {
    this.#arriving.delete(requestId);
    this.#serving?.abort(requestId);
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
      if (this.#serving === undefined) this.#setState({ phase: 'failed', error: error.toJSON() });
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
    let engine: StepEngine;
    try {
      engine = await this.#loadEngine(config, signal);
    } catch (thrown) {
      const error = TempoError.from(thrown);
      this.#setState(
        signal.aborted ? { phase: 'idle' } : { phase: 'failed', error: error.toJSON() },
      );
      throw error;
    }
    this.#serving = this.#serve({ ...config, policy: this.#policy }, engine);
    return this.#setState(readyState(this.#serving));
  }

  /** Throws `aborted` where the load was cancelled, even if the engine took no notice. */
  async #loadEngine(config: LoadConfig, signal: AbortSignal): Promise<StepEngine> {
    let toldMs = Number.NEGATIVE_INFINITY;
    const onProgress = (progress: LoadProgress) => {
      const state = this.#state;
      if (signal.aborted || state.phase !== 'loading') return;
      const isNews = state.progress.phase !== progress.phase;
      if (!isNews && performance.now() < toldMs + PROGRESS_EVERY_MS) return;
      toldMs = performance.now();
      this.#setState({ phase: 'loading', progress });
    };
    const loading = this.#engines[config.engine].load(config, { signal, onProgress });
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
      recovering: (attempt) => {
        recovery = this.#recovery ??= newRecovery();
        this.#setState({ phase: 'recovering', attempt });
      },
      reload: () => this.#loadEngine(config, recovery.controller.signal),
      recovered: () => {
        this.#setState(readyState(serving));
        this.#endRecovery();
      },
      failed: (error) => {
        this.#serving = undefined;
        this.#setState({ phase: 'failed', error: error.toJSON() });
        this.#endRecovery();
      },
    });
    return serving;
  }

  async #unload(reason: TempoError): Promise<void> {
    const serving = this.#serving;
    this.#serving = undefined;
    this.#recovery?.controller.abort(reason);
    await serving?.dispose(reason);
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

function readyState({ engine, limits }: Serving): ServerState {
  return { phase: 'ready', engine: engine.status, limits };
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

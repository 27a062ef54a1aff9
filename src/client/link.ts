import {
  type LoadConfig,
  type RequestEvent,
  type ServerState,
  type Snapshot,
  TempoError,
  type TempoHost,
} from '../worker/protocol';
import type { CompletionStream } from './completion-stream';
import type { Connection } from './connection';
import { disposed, ended } from './ended';

/** How long a host may take to let go of its engine, ms. */
const PATIENCE_MS = 2000;

/**
 * A load ends so soon after it is cancelled, ms, if the host does not answer; and begins so soon to replace
 * what was loaded before, or requests wait no longer for it.
 */
const SOON_MS = 1000;

/** What hears of its events, and of the line's end. */
export type OpenRequest = Pick<CompletionStream, 'id' | 'ended' | 'take' | 'fail'>;

interface Watch {
  listener: (snapshot: Snapshot) => void;
  intervalMs: number;
  handle?: Promise<number>;
}

/**
 * The client's end of the line: one host at a time, the requests that are open on it, and who
 * listens. A dead worker fails what was open; the next load starts another.
 */
export class Link {
  readonly #connect: () => Connection;
  readonly #streams = new Map<string, OpenRequest>();
  readonly #stateListeners = new Set<(state: ServerState) => void>();
  readonly #watches = new Set<Watch>();
  #connection: Connection | undefined;
  #state: ServerState = { phase: 'idle' };
  #disposed = false;
  /** Undefined once there was a load. */
  #begin: ((ready: Promise<void>) => void) | undefined;
  /** Settles with the latest load; before the first, with that one. */
  #ready = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });
  /** What ends the loads that are under way. */
  readonly #loads = new Set<(error: TempoError) => void>();

  constructor(connect: () => Connection) {
    this.#connect = connect;
    this.#ready.catch(() => {}); // as of every load
  }

  get state(): ServerState {
    return this.#state;
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Resolves when requests can be sent: after a load, unless that leaves what is loaded at work. */
  async sendable(): Promise<void> {
    if (this.#atWork) await patience(SOON_MS, this.#ready);
    if (!this.#atWork) await this.#ready;
  }

  get #atWork(): boolean {
    return this.#state.phase === 'ready' || this.#state.phase === 'recovering';
  }

  /** The host, connected if need be. Throws `disposed`. */
  get host(): TempoHost {
    if (this.#disposed) throw disposed();
    this.#connection ??= this.#open();
    return this.#connection.host;
  }

  load(config: LoadConfig, signal?: AbortSignal): Promise<void> {
    const before = this.#begin ? undefined : this.#ready;
    const loading = this.#load(config, signal);
    const ready = loading.catch((error: unknown) => {
      // Refused without harm: another load goes on, or what was loaded before does.
      if (error instanceof TempoError && error.code === 'load_in_progress') return before;
      if (this.#atWork) return before;
      throw error;
    });
    ready.catch(() => {}); // who awaits it hears of it
    this.#begin?.(ready);
    this.#begin = undefined;
    this.#ready = ready;
    return loading;
  }

  add(stream: OpenRequest): void {
    this.#streams.set(stream.id, stream);
    stream.ended.then(() => this.#streams.delete(stream.id));
  }

  /** Calls back now, and on every change. */
  onState(listener: (state: ServerState) => void): () => void {
    this.#stateListeners.add(listener);
    call(listener, this.#state);
    return () => this.#stateListeners.delete(listener);
  }

  watch(listener: (snapshot: Snapshot) => void, intervalMs: number): () => void {
    const watch: Watch = { listener, intervalMs };
    this.#watches.add(watch);
    if (this.#connection) begin(watch, this.#connection.host);
    return () => {
      this.#watches.delete(watch);
      watch.listener = () => {};
      const { host } = this.#connection ?? {};
      watch.handle?.then((handle) => host?.unwatch(handle)).catch(() => {});
    };
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    for (const cut of this.#loads) cut(disposed());
    this.#failAll(disposed());
    this.#setState({ phase: 'idle' });
    if (connection) await leave(connection);
  }

  async #load(config: LoadConfig, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw ended(signal);
    const { host } = this;
    const starting = this.#starting(config);
    let cut: (error: TempoError) => void = () => {};
    const cutShort = new Promise<never>((_, reject) => {
      cut = reject;
    });
    let patience: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => {
      if (signal) patience = setTimeout(() => cut(ended(signal)), SOON_MS);
      void host.cancelLoad().catch(() => {});
    };
    this.#loads.add(cut);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const outcome = await Promise.race([host.load(config), cutShort]);
      if (signal?.aborted) {
        if (outcome.ok) await host.unload(); // it was there a moment before the word came
        throw ended(signal);
      }
      if (!outcome.ok) throw TempoError.fromJSON(outcome.error);
      // The news of it comes through a port of its own, and may come later.
      if (this.#state.phase !== 'ready') this.#setState(outcome.value);
    } catch (thrown) {
      const error = TempoError.from(thrown);
      if (this.#state === starting && !this.#disposed) {
        this.#setState(
          signal?.aborted ? { phase: 'idle' } : { phase: 'failed', error: error.toJSON() },
        );
      }
      throw error;
    } finally {
      clearTimeout(patience);
      this.#loads.delete(cut);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Nothing was there before: from now on it loads. */
  #starting({ model }: LoadConfig): ServerState | undefined {
    const { phase } = this.#state;
    if (phase !== 'idle' && phase !== 'failed') return undefined;
    const text = `Loading ${model}.`;
    const state: ServerState = {
      phase: 'loading',
      progress: { phase: 'download', text, fraction: 0 },
    };
    this.#setState(state);
    return state;
  }

  #open(): Connection {
    const connection = this.#connect();
    connection.crashed.then((error) => this.#crashed(connection, error));
    const { host } = connection;
    // What fails here is a crash, which is told to all.
    host.listen((events) => this.#take(events)).catch(() => {});
    host
      .listenState((state) => {
        if (this.#connection === connection) this.#setState(state);
      })
      .catch(() => {});
    for (const watch of this.#watches) begin(watch, host);
    return connection;
  }

  #take(events: RequestEvent[]): void {
    for (const event of events) this.#streams.get(event.id)?.take(event);
  }

  #crashed(connection: Connection, error: TempoError): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#failAll(error);
    this.#ready = Promise.reject(error);
    this.#ready.catch(() => {});
    this.#setState({ phase: 'failed', error: error.toJSON() });
  }

  #failAll(error: TempoError): void {
    for (const stream of [...this.#streams.values()]) stream.fail(error);
  }

  #setState(state: ServerState): void {
    this.#state = state;
    for (const listener of [...this.#stateListeners]) call(listener, state);
  }
}

/** Lets go of a host: in good order if it answers, but without it if it hangs or is dead. */
async function leave({ host, close }: Connection): Promise<void> {
  await patience(
    PATIENCE_MS,
    host.dispose().catch(() => {}),
  );
  close();
}

/** Waits for `work`, but no longer than `ms`. */
async function patience(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A listener's failure is shown, and stops nobody else. */
function call<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    console.error('A listener of Tempo threw an error.', error);
  }
}

function begin(watch: Watch, host: TempoHost): void {
  watch.handle = host.watch((snapshot) => call(watch.listener, snapshot), watch.intervalMs);
  watch.handle.catch(() => {}); // a crash, which is told to all
}

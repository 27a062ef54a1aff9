import type { ServerState, Slo, Snapshot, Tempo } from '../client';
import { Ledger } from './ledger';
import { Series } from './series';
import { StepHistory } from './step-history';

/** Numbers that change faster than this cannot be read, ms. */
const TOLD_EVERY_MS = 250;

const monitors = new WeakMap<Tempo, Monitor>();

/** The one monitor of a Tempo, which all its dashboards share: it is watched once, and remembers. */
export function monitorOf(tempo: Tempo): Monitor {
  let monitor = monitors.get(tempo);
  if (monitor === undefined) {
    monitor = new Monitor(tempo);
    monitors.set(tempo, monitor);
  }
  return monitor;
}

/** What a Tempo has done of late. Watches as long as somebody listens; without a Tempo it is empty. */
export class Monitor {
  /** The last minute of steps, for the timeline. */
  readonly history = new StepHistory();
  /** The last minute of counters, for the charts. */
  readonly series = new Series();
  /** Who was in time of late, and how fast, under which policy. */
  readonly ledger = new Ledger();
  readonly #tempo: Tempo | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #snapshots = new Set<(snapshot: Snapshot) => void>();
  readonly #slos = new Map<string, Slo>();
  #stops: (() => void)[] = [];
  #snapshot: Snapshot | undefined;
  /** The model that ran last. */
  #model: string | undefined;
  #told = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tempo?: Tempo) {
    this.#tempo = tempo;
  }

  get state(): ServerState | undefined {
    return this.#tempo?.state;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** What an app asks for: its own objective, or else the last that its requests brought. */
  sloOf(app: string): Slo | undefined {
    const own = this.#tempo?.app(app).slo;
    return own === undefined || own.class === 'best-effort' ? (this.#slos.get(app) ?? own) : own;
  }

  /** Calls back a few times a second while there is something new; returns how to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#watch();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#unwatch();
    };
  }

  /** Calls back with every snapshot, for as long as somebody subscribes; returns how to stop. */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void {
    this.#snapshots.add(listener);
    return () => this.#snapshots.delete(listener);
  }

  #watch(): void {
    if (this.#tempo === undefined) return;
    this.#stops = [
      this.#tempo.watch((snapshot) => this.#take(snapshot)),
      this.#tempo.onState(() => this.#tell()),
    ];
  }

  #unwatch(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #take(snapshot: Snapshot): void {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    this.history.add(snapshot);
    this.series.add(snapshot);
    this.ledger.add(snapshot);
    if (before !== undefined && before.policy !== snapshot.policy) {
      this.history.mark(snapshot.policy, snapshot.policySinceMs);
    }
    for (const { app, slo } of snapshot.requests) this.#slos.set(app, slo);
    if (snapshot.state.phase === 'ready') {
      const { model } = snapshot.state.engine;
      if (this.#model !== undefined && this.#model !== model) {
        this.history.mark(model, snapshot.atMs);
      }
      this.#model = model;
    }
    for (const listener of this.#snapshots) listener(snapshot);
    this.#tell();
  }

  /** At once, or as soon as enough time has passed since the last time. */
  #tell(): void {
    const waitMs = this.#told + TOLD_EVERY_MS - performance.now();
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#told = performance.now();
        for (const listener of [...this.#listeners]) call(listener);
      },
      Math.max(0, waitMs),
    );
  }
}

/** A listener's failure is shown, and stops nobody else. */
function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    console.error('A dashboard could not be brought up to date.', error);
  }
}

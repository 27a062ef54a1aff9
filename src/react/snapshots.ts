import type { Snapshot, Tempo } from '../client';
import type { Store } from './selected';

/** The latest snapshot of a Tempo, for all components that want one as often: watched while one does. */
export class Snapshots implements Store<Snapshot | undefined> {
  readonly #tempo: Tempo;
  readonly #intervalMs: number;
  readonly #listeners = new Set<() => void>();
  #latest: Snapshot | undefined;
  #stop = () => {};

  constructor(tempo: Tempo, intervalMs: number) {
    this.#tempo = tempo;
    this.#intervalMs = intervalMs;
  }

  get = (): Snapshot | undefined => this.#latest;

  getServer = (): undefined => undefined;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#watch();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop();
      this.#latest = undefined; // it would be old when somebody comes back
    };
  };

  #watch(): void {
    this.#stop = this.#tempo.watch((snapshot) => {
      this.#latest = snapshot;
      for (const tell of [...this.#listeners]) tell();
    }, this.#intervalMs);
  }
}

const stores = new WeakMap<Tempo, Map<number, Snapshots>>();

/** The one store of a Tempo for an interval, ms. */
export function snapshotsOf(tempo: Tempo, intervalMs: number): Snapshots {
  const ofTempo = stores.get(tempo) ?? new Map<number, Snapshots>();
  const store = ofTempo.get(intervalMs) ?? new Snapshots(tempo, intervalMs);
  stores.set(tempo, ofTempo.set(intervalMs, store));
  return store;
}

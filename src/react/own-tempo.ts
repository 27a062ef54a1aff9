import type { TempoOptions } from '../client';
import { TempoClient } from '../client/tempo';

/** A Tempo that loads once somebody holds it, and is disposed of once nobody does. */
export class OwnTempo {
  readonly tempo: TempoClient;
  #started = false;
  #over = false;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TempoOptions) {
    this.tempo = new TempoClient(options);
  }

  /** It was disposed of. */
  get over(): boolean {
    return this.#over;
  }

  /** Returns how to let go. Who takes hold again at once, as StrictMode does, finds it as it was. */
  hold(): () => void {
    clearTimeout(this.#leaving);
    if (!this.#started) this.tempo.start();
    this.#started = true;
    return () => {
      this.#leaving = setTimeout(() => {
        this.#over = true;
        void this.tempo.dispose();
      });
    };
  }
}

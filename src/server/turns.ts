import { yieldToEventLoop } from '../engine/yield';

/** A piece of work takes no longer than this in one go, ms. */
const TURN_MS = 8;

/** Work that is long, and lets others have their turn in between. */
export class Turns {
  #sinceMs = performance.now();

  /** To be awaited between two small pieces of the work. */
  async give(): Promise<void> {
    if (performance.now() < this.#sinceMs + TURN_MS) return;
    await yieldToEventLoop();
    this.#sinceMs = performance.now();
  }
}

/**
 * Lets the messages and timers that wait have their turn. Through a message channel, because browsers
 * hold nested `setTimeout(…, 0)` back for 4 ms.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

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

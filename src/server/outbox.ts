/** One frame at 60 Hz, ms. */
export const FRAME_MS = 16;

/** Somebody who wants to know, here or in another thread. Their own failures are their own. */
export class Listener<Value> {
  readonly #listen: (value: Value) => unknown;

  constructor(listen: (value: Value) => unknown) {
    this.#listen = listen;
  }

  /** Resolves when the listener has taken it. */
  async tell(value: Value): Promise<void> {
    try {
      await this.#listen(value);
    } catch {
      // The requests and the other listeners go on.
    }
  }
}

/**
 * Sends what it is given at most once every `intervalMs`, and nothing more while the listener has not
 * taken what came before: a slow page gets fewer, fuller batches and is never flooded.
 */
export class Outbox<Item> {
  readonly #listener: Listener<Item[]>;
  readonly #intervalMs: number;
  #items: Item[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;
  #closed = false;
  #sentMs = Number.NEGATIVE_INFINITY;

  /** `send` may return a promise: it is the listener's word that it has taken the batch. */
  constructor(send: (items: Item[]) => unknown, intervalMs = FRAME_MS) {
    this.#listener = new Listener(send);
    this.#intervalMs = intervalMs;
  }

  push(item: Item): void {
    this.#items.push(item);
    this.#schedule();
  }

  /** Replaces whatever waits with `item`: where only the latest counts. */
  replace(item: Item): void {
    this.#items = [item];
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#busy || this.#closed) return;
    const waitMs = Math.max(0, this.#sentMs + this.#intervalMs - performance.now());
    this.#timer = setTimeout(() => void this.#flush(), waitMs);
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    const items = this.#items;
    this.#items = [];
    this.#sentMs = performance.now();
    this.#busy = true;
    await this.#listener.tell(items);
    this.#busy = false;
    if (this.#items.length > 0) this.#schedule();
  }
}

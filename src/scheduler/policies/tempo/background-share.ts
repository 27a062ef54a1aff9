/**
 * Best-effort work gets its share of the GPU over every window. Within it, it takes its time from
 * lulls: a share of every second would break promises in every burst.
 */
export class BackgroundShare {
  readonly #windowMs: number;
  /** GPU time that it is owed, ms; below 0, it got that much more than its share. */
  #owedMs: number = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  get owed(): boolean {
    return this.#owedMs > 0;
  }

  /** A step took so long. A claim grows while some best-effort work waits, and fades as fast while none does. */
  stepped(stepMs: number, share: number, waits: boolean): void {
    this.#owedMs += (waits ? share : -share) * stepMs;
    this.#owedMs = Math.max(this.#owedMs, -share * this.#windowMs);
  }

  served(ms: number): void {
    this.#owedMs -= ms;
  }
}

/** How far back a timeline reaches, ms. */
export const ZOOMS = [2000, 4000, 8000, 20_000] as const;

export type Zoom = (typeof ZOOMS)[number];

/**
 * Which time a timeline shows: it moves on with the clock, or stands still while it is paused or somebody
 * looks closer. Timelines that share one show the same time, and stop together.
 */
export class Playhead {
  readonly #clock: () => number;
  readonly #listeners = new Set<() => void>();
  #pastMs: Zoom = 8000;
  #paused = false;
  #held = false;
  #frozenMs = 0;
  #cursorMs: number | undefined;

  /** `clock`: what is the latest that can be shown, ms of the server's clock. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** The time at the line between past and future, ms. */
  get nowMs(): number {
    return this.frozen ? this.#frozenMs : this.#clock();
  }

  get frozen(): boolean {
    return this.#paused || this.#held;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get pastMs(): Zoom {
    return this.#pastMs;
  }

  /** Where somebody looks closer, ms. */
  get cursorMs(): number | undefined {
    return this.#cursorMs;
  }

  set paused(paused: boolean) {
    if (paused && !this.frozen) this.#frozenMs = this.#clock();
    this.#paused = paused;
    this.#tell();
  }

  set pastMs(ms: Zoom) {
    this.#pastMs = ms;
    this.#tell();
  }

  set cursorMs(ms: number | undefined) {
    if (ms === this.#cursorMs) return;
    this.#cursorMs = ms;
    this.#tell();
  }

  /** Stands still until it is released. */
  hold(): void {
    if (this.#held) return;
    if (!this.frozen) this.#frozenMs = this.#clock();
    this.#held = true;
    this.#tell();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#cursorMs = undefined;
    this.#tell();
  }

  /** Calls back on every change; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

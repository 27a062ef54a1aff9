/** Time left is told once there is so much to judge by, ms, and judged by the last of it. */
const KNOWN_AFTER_MS = 1000;
const WINDOW_MS = 10_000;

/** How long something that is under way will take still, by its pace over the last seconds. */
export class TimeLeft {
  readonly #now: () => number;
  /** How much was done when, oldest first. */
  readonly #seen: { atMs: number; done: number }[] = [];

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** `done` of `total` are done now. Ms; undefined while there is nothing to judge by. */
  after(done: number, total: number): number | undefined {
    const atMs = this.#now();
    this.#seen.push({ atMs, done });
    while (this.#seen.length > 2 && this.#seen[0].atMs < atMs - WINDOW_MS) this.#seen.shift();
    const [first] = this.#seen;
    const elapsedMs = atMs - first.atMs;
    if (elapsedMs < KNOWN_AFTER_MS || done <= first.done) return undefined;
    return Math.round((elapsedMs * (total - done)) / (done - first.done));
  }
}

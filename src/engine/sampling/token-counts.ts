/** How often each token was generated; what penalties are computed from. */
export class TokenCounts {
  readonly #counts = new Map<number, number>();

  /** Distinct tokens. */
  get size(): number {
    return this.#counts.size;
  }

  add(token: number): void {
    this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1);
  }

  /** Token and count, in order of first appearance. */
  [Symbol.iterator](): IterableIterator<[number, number]> {
    return this.#counts.entries();
  }
}

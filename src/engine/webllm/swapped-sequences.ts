import type { TokenIds } from '../../scheduler';
import type { SwappedPages } from './swap-space';

interface Swapped {
  /** The tokens whose keys and values these are. */
  tokens: Int32Array;
  pages: SwappedPages;
}

/** Sequences swapped out, within a budget of CPU memory; the longest out go first. */
export class SwappedSequences {
  readonly #budgetBytes: number;
  readonly #swapped = new Map<string, Swapped>();
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there can be room for `bytes` at all. */
  fits(bytes: number): boolean {
    return bytes <= this.#budgetBytes;
  }

  put(id: string, tokens: Int32Array, pages: SwappedPages): void {
    this.forget(id);
    this.#swapped.set(id, { tokens: tokens.slice(), pages });
    this.#bytes += pages.bytes;
    for (const oldest of this.#swapped.keys()) {
      if (this.#bytes <= this.#budgetBytes) break;
      this.forget(oldest);
    }
  }

  /** What was swapped out under this id, if it is the beginning of `tokens`; it is forgotten here. */
  take(id: string, tokens: TokenIds): Swapped | undefined {
    const swapped = this.#swapped.get(id);
    this.forget(id);
    if (swapped === undefined || swapped.tokens.length >= tokens.length) return undefined;
    return swapped.tokens.every((token, i) => tokens[i] === token) ? swapped : undefined;
  }

  forget(id: string): void {
    this.#bytes -= this.#swapped.get(id)?.pages.bytes ?? 0;
    this.#swapped.delete(id);
  }
}

import type { GrammarMatcher as Handle } from '@mlc-ai/web-xgrammar';

/** Where one sequence stands in the grammar that constrains it. */
export interface GrammarMatcher {
  /**
   * What may come next: bit i%32 of word i/32 is set where token i is allowed (ceil(vocab/32)
   * words, the layout of WebLLM's `apply_bitmask_inplace`). Once the grammar is complete only the
   * tokens that end the answer are; also where it leads nowhere with this vocabulary.
   */
  nextBitmask(): Promise<Int32Array>;
  /** Moves past a token. False, and nothing moves, where the grammar forbids it. */
  accept(token: number): boolean;
  /** The end token was accepted: nothing may follow. */
  readonly terminated: boolean;
  /** Takes the last `tokens` accepted tokens back. */
  rollback(tokens: number): void;
  /** The text that must come next whatever is drawn; empty where there is a choice. */
  jumpForward(): string;
  dispose(): void;
}

/** Over @mlc-ai/web-xgrammar, never asking it what would make it abort. */
export class XGrammarMatcher implements GrammarMatcher {
  readonly #handle: Handle;
  readonly #vocabulary: { readonly vocabSize: number; readonly stopTokens: readonly number[] };
  #accepted = 0;
  /** No token goes on from here: 'open' until the answer was ended for it. */
  #deadEnd: 'none' | 'open' | 'ended' = 'none';

  constructor(
    handle: Handle,
    vocabulary: { readonly vocabSize: number; readonly stopTokens: readonly number[] },
  ) {
    this.#handle = handle;
    this.#vocabulary = vocabulary;
  }

  get terminated(): boolean {
    return this.#deadEnd === 'ended' || this.#handle.isTerminated();
  }

  async nextBitmask(): Promise<Int32Array> {
    if (this.terminated || this.#deadEnd === 'open') return this.#onlyStopTokens();
    const mask = await this.#handle.getNextTokenBitmask();
    if (mask.some((word) => word !== 0)) return mask;
    this.#deadEnd = 'open';
    return this.#onlyStopTokens();
  }

  accept(token: number): boolean {
    if (this.terminated || !(token >= 0 && token < this.#vocabulary.vocabSize)) return false;
    if (this.#deadEnd === 'open') {
      if (!this.#vocabulary.stopTokens.includes(token)) return false;
      this.#deadEnd = 'ended';
      return true;
    }
    const accepted = this.#handle.acceptToken(token);
    if (accepted) this.#accepted++;
    return accepted;
  }

  rollback(tokens: number): void {
    const ended = this.#deadEnd === 'ended' ? 1 : 0;
    if (tokens > 0) this.#deadEnd = 'none';
    const count = Math.min(tokens - ended, this.#accepted);
    if (count <= 0) return;
    this.#handle.rollBack(count);
    this.#accepted -= count;
  }

  jumpForward(): string {
    return this.terminated ? '' : this.#handle.findJumpForwardString();
  }

  dispose(): void {
    this.#handle.dispose();
  }

  #onlyStopTokens(): Int32Array {
    const mask = new Int32Array(Math.ceil(this.#vocabulary.vocabSize / 32));
    for (const token of this.#vocabulary.stopTokens) mask[token >> 5] |= 1 << (token & 31);
    return mask;
  }
}

/**
 * The bitmasks of a batch, one row a sequence, in `out` (rows × ceil(vocabSize/32) words). A
 * sequence without a matcher may draw anything.
 */
export async function fillBitmasks(
  matchers: readonly (GrammarMatcher | undefined)[],
  out: Int32Array,
): Promise<void> {
  const words = out.length / matchers.length;
  await Promise.all(
    matchers.map(async (matcher, row) => {
      const mask = await matcher?.nextBitmask();
      if (mask === undefined) out.fill(-1, row * words, (row + 1) * words);
      else out.set(mask, row * words);
    }),
  );
}

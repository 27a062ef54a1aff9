import type { GrammarMatcher as Handle } from '@mlc-ai/web-xgrammar';
import { TempoError } from '../../scheduler';

/**
 * Where one sequence stands in the grammar that constrains it. Every call but `dispose` throws
 * engine_failed where the matcher breaks down; it is of no use then, and no other is harmed.
 */
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
  /** The grammar allows no token from here on. */
  #deadEnd = false;
  /** Tokens accepted since: the end token, or any where the model has none. */
  #beyond = 0;
  readonly #recover: (thrown: unknown) => Error;
  #broken = false;

  /** `recover` is the library's: see `LoadedXGrammar`. */
  constructor(
    handle: Handle,
    vocabulary: { readonly vocabSize: number; readonly stopTokens: readonly number[] },
    recover: (thrown: unknown) => Error,
  ) {
    this.#handle = handle;
    this.#vocabulary = vocabulary;
    this.#recover = recover;
  }

  get terminated(): boolean {
    if (this.#deadEnd) return this.#beyond > 0 && this.#vocabulary.stopTokens.length > 0;
    return this.#call(() => this.#handle.isTerminated());
  }

  async nextBitmask(): Promise<Int32Array> {
    if (this.terminated || this.#deadEnd) return this.#onlyStopTokens();
    const mask = await this.#handle.getNextTokenBitmask().catch((thrown: unknown) => {
      throw this.#breakDown(thrown);
    });
    if (mask.some((word) => word !== 0)) return mask;
    this.#deadEnd = true;
    return this.#onlyStopTokens();
  }

  accept(token: number): boolean {
    const { vocabSize, stopTokens } = this.#vocabulary;
    if (this.terminated || !(token >= 0 && token < vocabSize)) return false;
    if (this.#deadEnd) {
      if (stopTokens.length > 0 && !stopTokens.includes(token)) return false;
      this.#beyond++;
      return true;
    }
    const accepted = this.#call(() => this.#handle.acceptToken(token));
    if (accepted) this.#accepted++;
    return accepted;
  }

  rollback(tokens: number): void {
    const beyond = Math.min(tokens, this.#beyond);
    this.#beyond -= beyond;
    const count = Math.min(tokens - beyond, this.#accepted);
    if (count <= 0) return;
    this.#deadEnd = false;
    this.#call(() => this.#handle.rollBack(count));
    this.#accepted -= count;
  }

  jumpForward(): string {
    return this.terminated ? '' : this.#call(() => this.#handle.findJumpForwardString());
  }

  dispose(): void {
    try {
      this.#handle.dispose();
    } catch (thrown) {
      const error = this.#recover(thrown);
      if (!this.#broken) throw error;
    }
  }

  #call<T>(call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      throw this.#breakDown(thrown);
    }
  }

  #breakDown(thrown: unknown): TempoError {
    this.#broken = true;
    const cause = this.#recover(thrown);
    return new TempoError('engine_failed', `The grammar's matcher failed: ${cause.message}`, {
      cause,
    });
  }

  #onlyStopTokens(): Int32Array {
    const { vocabSize, stopTokens } = this.#vocabulary;
    const mask = new Int32Array(Math.ceil(vocabSize / 32));
    // A model whose answers end with a stop string only may write it.
    if (stopTokens.length === 0) return mask.fill(-1);
    for (const token of stopTokens) mask[token >> 5] |= 1 << (token & 31);
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

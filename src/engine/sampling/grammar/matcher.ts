import { TempoError } from '../../../scheduler';
import { Pace } from '../pace';
import { inSlices, type Sliced } from '../sliced';
import { withName } from './json/named';
import type { Configuration, Machine } from './machine';
import type { Masks } from './masks';
import type { Vocabulary } from './vocabulary';

/** Where one sequence stands in the grammar that constrains it. */
export interface GrammarMatcher {
  /**
   * What may come next: bit i%32 of word i/32 is set where token i is allowed (ceil(vocab/32)
   * words, the layout of WebLLM's `apply_bitmask_inplace`). Where the grammar is complete the tokens
   * that end the answer are, too. Not to be changed: others are given the same. Throws
   * engine_failed where no token of the vocabulary goes on.
   */
  nextBitmask(): Int32Array;
  /**
   * Makes that mask ready. Undefined where it is there by `untilMs` (of `performance.now()`), as nearly
   * all are in no time; else the work goes on in slices, and the promise resolves when it is done.
   */
  prepare(untilMs: number): Promise<void> | undefined;
  /** Moves past a token. False, and nothing moves, where the grammar forbids it. */
  accept(token: number): boolean;
  /** The end token was accepted: nothing may follow. */
  readonly terminated: boolean;
  /**
   * Until when (of `performance.now()`) the mask that `prepare` waits for is worth a short wait: another
   * thread makes it, and has nearly all in less than a millisecond. Undefined where none does.
   */
  readonly soonUntilMs: number | undefined;
  /** It is not used any more. */
  dispose(): void;
}

async function finish(work: Sliced<Int32Array>): Promise<void> {
  const pace = new Pace(Infinity, undefined, true);
  await pace.rest(); // there was a slice of it already
  await inSlices(work, pace);
}

export class MachineMatcher implements GrammarMatcher {
  readonly #vocabulary: Vocabulary;
  readonly #machine: Machine;
  readonly #masks: Masks;
  readonly soonUntilMs = undefined;
  #configuration: Configuration;
  /** The last token was an end token; or, where the model has none, it came after the grammar's end. */
  #isBeyond = false;
  /** What was written, and how long it is. */
  #bytes = new Uint8Array(256);
  #length = 0;

  constructor(vocabulary: Vocabulary, machine: Machine, masks: Masks) {
    this.#vocabulary = vocabulary;
    this.#machine = machine;
    this.#masks = masks;
    this.#configuration = machine.start;
  }

  get terminated(): boolean {
    return this.#isBeyond && this.#vocabulary.stopTokens.length > 0;
  }

  nextBitmask(): Int32Array {
    const { maskLength, stopTokens } = this.#vocabulary;
    // A model whose answers end with a stop string only may write it.
    const isFree = stopTokens.length === 0 && (this.#isBeyond || this.#configuration.accepts);
    if (isFree) return new Int32Array(maskLength).fill(-1);
    if (this.#isBeyond) return this.#onlyStopTokens();
    const mask = this.#masks.of(this.#configuration);
    if (mask.some((word) => word !== 0)) return mask;
    throw new TempoError(
      'engine_failed',
      'The answer cannot go on: this model has no token for what its grammar asks for next.',
    );
  }

  prepare(untilMs: number): Promise<void> | undefined {
    if (this.#isBeyond || this.#masks.has(this.#configuration)) return undefined;
    const work = this.#masks.making(this.#configuration);
    do {
      if (work.next().done) return undefined;
    } while (performance.now() < untilMs);
    return finish(work);
  }

  accept(token: number): boolean {
    const { vocabSize, stopTokens } = this.#vocabulary;
    if (this.terminated || !(token >= 0 && token < vocabSize)) return false;
    const { accepts } = this.#configuration;
    if (stopTokens.includes(token)) {
      if (accepts) this.#isBeyond = true;
      return accepts;
    }
    const text = this.#vocabulary.bytesOf(token);
    const next = text === undefined || this.#isBeyond ? null : this.#follow(text);
    if (next !== null && text !== undefined) {
      this.#configuration = next;
      this.#length += text.length;
      return true;
    }
    if (stopTokens.length > 0 || !(this.#isBeyond || accepts)) return false;
    this.#isBeyond = true;
    return true;
  }

  dispose(): void {}

  /** Where some more text, which holds bytes, leads to. */
  #follow(text: string): Configuration | null {
    let configuration = this.#configuration;
    const length = this.#length;
    if (this.#bytes.length < length + text.length) {
      const longer = new Uint8Array(2 * (length + text.length));
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    for (let i = 0; i < text.length; i++) {
      const byte = text.charCodeAt(i);
      const next = this.#machine.step(configuration, byte);
      if (next === null) return null;
      this.#bytes[length + i] = byte;
      configuration = withName(this.#machine, next, this.#bytes.subarray(0, length + i + 1));
    }
    return configuration;
  }

  #onlyStopTokens(): Int32Array {
    const { maskLength, stopTokens } = this.#vocabulary;
    const mask = new Int32Array(maskLength);
    for (const token of stopTokens) mask[token >> 5] |= 1 << (token & 31);
    return mask;
  }
}

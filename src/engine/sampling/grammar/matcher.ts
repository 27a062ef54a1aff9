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
  /** Takes the last `tokens` accepted tokens back. */
  rollback(tokens: number): void;
  /** The text that must come next whatever is drawn; empty where there is a choice. */
  jumpForward(): string;
}

/** After an accepted token. */
interface Moment {
  readonly configuration: Configuration;
  /** Bytes written so far. */
  readonly length: number;
  /** It was an end token; or, where the model has none, it came after the grammar's end. */
  readonly isBeyond: boolean;
}

/** Bytes of forced text that are looked for in one go. */
const MAX_FORCED = 4096;

async function finish(work: Sliced<Int32Array>): Promise<void> {
  const pace = new Pace(Infinity);
  await pace.rest(); // there was a slice of it already
  await inSlices(work, pace);
}

export class MachineMatcher implements GrammarMatcher {
  readonly #vocabulary: Vocabulary;
  readonly #machine: Machine;
  readonly #masks: Masks;
  readonly #moments: Moment[];
  #bytes = new Uint8Array(256);

  constructor(vocabulary: Vocabulary, machine: Machine, masks: Masks) {
    this.#vocabulary = vocabulary;
    this.#machine = machine;
    this.#masks = masks;
    this.#moments = [{ configuration: machine.start, length: 0, isBeyond: false }];
  }

  get terminated(): boolean {
    return this.#now.isBeyond && this.#vocabulary.stopTokens.length > 0;
  }

  nextBitmask(): Int32Array {
    const { configuration, isBeyond } = this.#now;
    const { maskLength, stopTokens } = this.#vocabulary;
    // A model whose answers end with a stop string only may write it.
    const isFree = stopTokens.length === 0 && (isBeyond || configuration.accepts);
    if (isFree) return new Int32Array(maskLength).fill(-1);
    if (isBeyond) return this.#onlyStopTokens();
    const mask = this.#masks.of(configuration);
    if (mask.some((word) => word !== 0)) return mask;
    throw new TempoError(
      'engine_failed',
      'The answer cannot go on: this model has no token for what its grammar asks for next.',
    );
  }

  prepare(untilMs: number): Promise<void> | undefined {
    const { configuration, isBeyond } = this.#now;
    if (isBeyond || this.#masks.has(configuration)) return undefined;
    const work = this.#masks.making(configuration);
    do {
      if (work.next().done) return undefined;
    } while (performance.now() < untilMs);
    return finish(work);
  }

  accept(token: number): boolean {
    const { configuration, length, isBeyond } = this.#now;
    const { vocabSize, stopTokens } = this.#vocabulary;
    if (this.terminated || !(token >= 0 && token < vocabSize)) return false;
    if (stopTokens.includes(token)) {
      if (!configuration.accepts) return false;
      this.#moments.push({ configuration, length, isBeyond: true });
      return true;
    }
    const text = this.#vocabulary.bytesOf(token);
    const next = text === undefined || isBeyond ? null : this.#follow(configuration, length, text);
    if (next !== null && text !== undefined) {
      this.#moments.push({ configuration: next, length: length + text.length, isBeyond: false });
      return true;
    }
    if (stopTokens.length > 0 || !(isBeyond || configuration.accepts)) return false;
    this.#moments.push({ configuration, length, isBeyond: true });
    return true;
  }

  rollback(tokens: number): void {
    this.#moments.length = Math.max(1, this.#moments.length - Math.max(0, tokens));
  }

  jumpForward(): string {
    const bytes: number[] = [];
    let { configuration } = this.#now;
    while (!this.#now.isBeyond && !configuration.accepts && bytes.length < MAX_FORCED) {
      const ways: [number, Configuration][] = [];
      for (let byte = 0; byte < 256 && ways.length < 2; byte++) {
        const next = this.#machine.step(configuration, byte);
        if (next !== null) ways.push([byte, next]);
      }
      if (ways.length !== 1) break;
      bytes.push(ways[0][0]);
      configuration = ways[0][1];
    }
    // Whole characters only.
    return new TextDecoder().decode(Uint8Array.from(bytes), { stream: true });
  }

  get #now(): Moment {
    return this.#moments[this.#moments.length - 1];
  }

  /** `text` holds bytes. */
  #follow(from: Configuration, length: number, text: string): Configuration | null {
    let configuration = from;
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

import type { SequenceImage, SequenceSpec, TokenIds } from '../../scheduler';
import type { SequenceSampling } from '../sampling';
import type { ImageRun } from './image-rows';

/** A resident sequence as the engine knows it: its tokens, and where its sampling stands. */
export class EngineSequence {
  readonly spec: SequenceSpec;
  /** Tokens whose keys and values are in the cache. */
  computed: number;
  /** Made when the first token is to be drawn; a grammar takes time to compile. */
  sampling: SequenceSampling | undefined;
  /** What its next token is drawn with is being made ready. */
  preparing: Promise<void> | undefined;
  /** That failed: its next draw says so. */
  unprepared = false;
  /** How often `dispose` was called: what was begun before is of no use after. */
  disposals = 0;
  #tokens: Int32Array;
  #length: number;
  readonly #images: readonly SequenceImage[];

  constructor(spec: SequenceSpec, cachedTokens: number) {
    this.spec = spec;
    this.computed = cachedTokens;
    this.#length = spec.tokens.length;
    this.#images = spec.images ?? [];
    this.#tokens = new Int32Array(this.#length + 256);
    for (let i = 0; i < this.#length; i++) this.#tokens[i] = spec.tokens[i];
  }

  get id(): string {
    return this.spec.id;
  }

  /** Known tokens: prompt and output so far. */
  get length(): number {
    return this.#length;
  }

  /** Known tokens that are not computed yet. */
  get pending(): number {
    return this.#length - this.computed;
  }

  get tokens(): Int32Array {
    return this.#tokens.subarray(0, this.#length);
  }

  /** Output tokens so far. */
  get generated(): TokenIds {
    return this.#tokens.subarray(Math.min(this.spec.promptTokens, this.#length), this.#length);
  }

  /** The next `count` tokens to compute. */
  next(count: number): Int32Array {
    return this.#tokens.subarray(this.computed, this.computed + count);
  }

  /** The images among those, in whole or part. Throws where one has no pixels: it cannot be computed. */
  nextImages(count: number): ImageRun[] {
    if (this.#images.length === 0) return [];
    const [start, end] = [this.computed, this.computed + count];
    return this.#images.flatMap(({ at, rows, pixels }) => {
      const first = Math.max(at, start);
      const last = Math.min(at + rows, end);
      if (first >= last) return [];
      if (pixels === undefined) throw new Error('An image without pixels cannot be seen.');
      return { at: first - start, count: last - first, pixels, from: first - at };
    });
  }

  append(token: number): void {
    if (this.#length === this.#tokens.length) {
      const longer = new Int32Array(2 * this.#length);
      longer.set(this.#tokens);
      this.#tokens = longer;
    }
    this.#tokens[this.#length++] = token;
  }

  /** Its sampling state is made anew when it is next needed. */
  dispose(): void {
    this.disposals++;
    this.sampling?.matcher?.dispose();
    this.sampling = undefined;
  }
}

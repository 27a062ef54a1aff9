/** Masks that the other thread keeps: 19 kB each, of a vocabulary of 150,000 tokens. */
const MOST = 512;

/** Numbers the masks that were sent, so that none is sent twice while the other end has it. */
export class SentMasks {
  readonly #numbers = new WeakMap<Int32Array, number>();
  /** Those that the other end has, the last used last. */
  readonly #there = new Set<number>();
  readonly #shared: boolean;
  #count = 0;

  /** `shared`: in memory that both threads see; else each is a copy that is handed over. */
  constructor(shared: boolean) {
    this.#shared = shared;
  }

  /** A mask as it is to be sent. `mask` is one that never changes. */
  send(mask: Int32Array): { mask: number; words?: Int32Array; forget?: number } {
    const number = this.#numbers.get(mask) ?? this.#count++;
    this.#numbers.set(mask, number);
    const isThere = this.#there.delete(number);
    this.#there.add(number);
    if (isThere) return { mask: number };
    const words = this.#shared
      ? new Int32Array(new SharedArrayBuffer(mask.byteLength))
      : new Int32Array(mask.length);
    words.set(mask);
    if (this.#there.size <= MOST) return { mask: number, words };
    const [forget] = this.#there;
    this.#there.delete(forget);
    return { mask: number, words, forget };
  }
}

import { fail } from './fail';
import { Handle } from './handle';
import type { Tensor } from './tensor';
import type { World } from './world';

const SLOTS = 16;

interface CachedSequence {
  pages: number[];
  length: number;
  tainted: boolean;
}

/** The runtime's paged KV cache: one slot holds one token id. */
export class PagedCache extends Handle {
  readonly maxSequences: number;
  readonly chunk: number;
  readonly #slots: Int32Array;
  readonly #references: Int32Array;
  readonly #free: number[] = [];
  readonly #sequences = new Map<number, CachedSequence>();
  #forward: { ids: number[]; lengths: number[] } | undefined;

  constructor(world: World, sequences: number, tokens: number, chunk: number) {
    super(world);
    this.maxSequences = sequences;
    this.chunk = chunk;
    const pages = Math.ceil(tokens / SLOTS) + 1;
    this.#slots = new Int32Array(pages * SLOTS).fill(-1);
    this.#references = new Int32Array(pages);
    for (let page = pages - 1; page >= 0; page--) this.#free.push(page);
  }

  get availablePages(): number {
    return this.#free.length;
  }

  clear(): void {
    for (const id of [...this.#sequences.keys()]) this.remove(id);
  }

  add(id: number): void {
    if (this.#sequences.has(id)) fail(`The sequence ${id} is already in the KV cache.`);
    this.#sequences.set(id, { pages: [], length: 0, tainted: false });
  }

  remove(id: number): void {
    for (const page of this.#sequence(id).pages) this.#release(page);
    this.#sequences.delete(id);
  }

  fork(parentId: number, id: number, tokens: number): void {
    const parent = this.#sequence(parentId);
    if (this.#sequences.has(id)) fail(`The sequence ${id} is already in the KV cache.`);
    if (tokens > parent.length) fail('The fork position is beyond the sequence.');
    const whole = Math.floor(tokens / SLOTS);
    const pages = parent.pages.slice(0, whole);
    for (const page of pages) this.#references[page]++;
    if (tokens % SLOTS !== 0) {
      const copy = this.#take();
      const from = parent.pages[whole] * SLOTS;
      const copied = this.world.options.wrong?.forks ? 0 : tokens % SLOTS;
      this.#slots.copyWithin(copy * SLOTS, from, from + copied);
      pages.push(copy);
    }
    this.#sequences.set(id, { pages, length: tokens, tainted: parent.tainted });
  }

  pop(id: number, tokens: number): void {
    const sequence = this.#sequence(id);
    if (tokens > sequence.length) fail('Popped more tokens than the sequence has.');
    sequence.length -= tokens;
    const pages = Math.ceil(sequence.length / SLOTS);
    while (sequence.pages.length > pages) this.#release(sequence.pages.pop() ?? 0);
    const last = sequence.pages.at(-1);
    if (sequence.length % SLOTS !== 0 && last !== undefined && this.#references[last] > 1) {
      this.world.corruptions.push('A pop left a sequence writing into a shared page.');
    }
    if (this.world.options.wrong?.pops) sequence.tainted = true;
  }

  begin(ids: number[], lengths: number[]): void {
    this.world.check();
    if (this.#forward !== undefined) fail('begin_forward without end_forward.');
    if (ids.length > this.maxSequences) fail('The batch is larger than the cache was made for.');
    if (lengths.reduce((sum, n) => sum + n, 0) > this.chunk) fail('The chunk is too long.');
    if (new Set(ids).size !== ids.length) fail('A sequence is in the batch twice.');
    ids.forEach((id, i) => {
      const sequence = this.#sequence(id);
      const pages = Math.ceil((sequence.length + lengths[i]) / SLOTS);
      while (sequence.pages.length < pages) sequence.pages.push(this.#take());
      const last = Math.floor(sequence.length / SLOTS);
      if (sequence.length % SLOTS !== 0 && this.#references[sequence.pages[last]] > 1) {
        this.world.corruptions.push('A forward writes into a shared page.');
      }
    });
    this.#forward = { ids, lengths };
    this.world.forwards++;
  }

  end(): void {
    if (this.#forward === undefined) fail('end_forward without begin_forward.');
    this.#forward = undefined;
  }

  /** Writes the batch's tokens and returns the hash of each member's history after each of them. */
  run({ data: tokens, isPart }: Pick<Tensor, 'data' | 'isPart'>): number[] {
    if (isPart) fail('A kernel was given part of a tensor.');
    this.world.fed.push([...tokens]);
    if (this.#forward === undefined) fail('A forward without begin_forward.');
    const { ids, lengths } = this.#forward ?? { ids: [], lengths: [] };
    const hashes: number[] = [];
    let at = 0;
    ids.forEach((id, member) => {
      const sequence = this.#sequence(id);
      const earlier = sequence.length;
      const count = lengths[member];
      for (let i = 0; i < count; i++) {
        this.#slots[this.#address(sequence, earlier + i)] = tokens[at++];
      }
      sequence.length += count;
      let hash = 0x811c9dc5;
      for (let i = 0; i < sequence.length; i++) {
        hash = Math.imul(hash ^ (this.#slots[this.#address(sequence, i)] + i), 0x01000193);
        hash ^= hash >>> 13;
        if (i < earlier) continue;
        const { wrong } = this.world.options;
        // As on a real GPU, what a wrong chunk leaves in the cache stays wrong.
        if (wrong?.chunks && earlier > 0 && count > 1) sequence.tainted = true;
        const off = (wrong?.batches && member > 0) || sequence.tainted;
        hashes.push(off ? ~hash : hash);
      }
    });
    if (at !== tokens.length) fail('The forward has other tokens than begin_forward was told of.');
    return hashes;
  }

  /** A sequence's slots, for swapping out; and back. */
  read(id: number): Int32Array {
    const sequence = this.#sequence(id);
    return Int32Array.from(
      { length: sequence.length },
      (_, i) => this.#slots[this.#address(sequence, i)],
    );
  }

  write(id: number, tokens: ArrayLike<number>): void {
    const sequence = this.#sequence(id);
    while (sequence.pages.length * SLOTS < tokens.length) sequence.pages.push(this.#take());
    sequence.length = tokens.length;
    for (let i = 0; i < tokens.length; i++) this.#slots[this.#address(sequence, i)] = tokens[i];
  }

  #address(sequence: CachedSequence, position: number): number {
    return sequence.pages[Math.floor(position / SLOTS)] * SLOTS + (position % SLOTS);
  }

  #sequence(id: number): CachedSequence {
    this.use();
    const sequence = this.#sequences.get(id);
    if (sequence === undefined)
      throw new Error(`The sequence ${id} cannot be found in the KV cache.`);
    return sequence;
  }

  #take(): number {
    const page = this.#free.pop();
    if (page === undefined) throw new Error('The KV cache is full. No page can be allocated.');
    this.#references[page] = 1;
    return page;
  }

  #release(page: number): void {
    if (--this.#references[page] > 0) return;
    this.#slots.fill(-1, page * SLOTS, (page + 1) * SLOTS);
    this.#free.push(page);
  }
}

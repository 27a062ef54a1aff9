/** Items in one block; a full one is cut in two. */
const BLOCK = 128;

/** A run of items and their keys, side by side: a search touches nothing else. */
interface Block<T> {
  readonly items: T[];
  readonly keys: number[];
}

interface Place {
  key: number;
  weight: number;
}

/**
 * Items by a key, least first, ties by order of arrival. Held in blocks: however many there are, one that
 * comes or goes moves no more than a block.
 */
export class Sorted<T extends { readonly order: number }> {
  readonly #blocks: Block<T>[] = [];
  readonly #places = new Map<T, Place>();
  #weight = 0;

  get length(): number {
    return this.#places.size;
  }

  /** What one weighs, on average; 0 where there is none. */
  get meanWeight(): number {
    // A sum of differences may end a little below 0.
    return this.length === 0 ? 0 : Math.max(0, this.#weight) / this.length;
  }

  has(item: T): boolean {
    return this.#places.has(item);
  }

  /** The first `count` of those whose keys are not above `most`. */
  first(count: number, most = Number.POSITIVE_INFINITY): T[] {
    const first: T[] = [];
    for (const { items, keys } of this.#blocks) {
      for (let i = 0; i < items.length; i++) {
        if (first.length >= count || keys[i] > most) return first;
        first.push(items[i]);
      }
    }
    return first;
  }

  /** How many come before an item, were it held under this key. */
  before(item: T, key: number): number {
    const at = this.#blockOf(item, key);
    let count = 0;
    for (let i = 0; i < at; i++) count += this.#blocks[i].items.length;
    return at < this.#blocks.length ? count + placeIn(this.#blocks[at], item, key) : count;
  }

  /** Puts an item where its key belongs, wherever it was before. */
  put(item: T, key: number, weight = 0): void {
    const place = this.#places.get(item);
    this.#weight += weight - (place?.weight ?? 0);
    if (place === undefined) {
      this.#places.set(item, { key, weight });
    } else {
      place.weight = weight;
      if (place.key === key) return;
      this.#take(item, place.key);
      place.key = key;
    }
    this.#insert(item, key);
  }

  remove(item: T): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#places.delete(item);
    this.#weight -= place.weight;
    this.#take(item, place.key);
  }

  #insert(item: T, key: number): void {
    const at = Math.min(this.#blockOf(item, key), this.#blocks.length - 1);
    if (at < 0) {
      this.#blocks.push({ items: [item], keys: [key] });
      return;
    }
    const block = this.#blocks[at];
    const place = placeIn(block, item, key);
    block.items.splice(place, 0, item);
    block.keys.splice(place, 0, key);
    if (block.items.length <= BLOCK) return;
    const half = BLOCK / 2;
    const upper = { items: block.items.splice(half), keys: block.keys.splice(half) };
    this.#blocks.splice(at + 1, 0, upper);
  }

  #take(item: T, key: number): void {
    const at = this.#blockOf(item, key);
    const block = this.#blocks[at];
    const place = placeIn(block, item, key);
    block.items.splice(place, 1);
    block.keys.splice(place, 1);
    if (block.items.length === 0) this.#blocks.splice(at, 1);
  }

  /** The first block whose last item does not come before this one. */
  #blockOf(item: T, key: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { items, keys } = this.#blocks[middle];
      const last = items.length - 1;
      if (comesBefore(keys[last], items[last], key, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first place of a block whose item does not come before this one. */
function placeIn<T extends { readonly order: number }>(
  { items, keys }: Block<T>,
  item: T,
  key: number,
): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comesBefore(keys[middle], items[middle], key, item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function comesBefore(
  key: number,
  { order }: { readonly order: number },
  otherKey: number,
  other: { readonly order: number },
): boolean {
  return key < otherKey || (key === otherKey && order < other.order);
}

/** Items by a key, least first, ties by order of arrival: binary search to find, one move to insert or remove. */
export class Sorted<T extends { readonly order: number }> {
  readonly #items: T[] = [];
  readonly #keys = new Map<T, number>();

  get length(): number {
    return this.#items.length;
  }

  at(index: number): T {
    return this.#items[index];
  }

  has(item: T): boolean {
    return this.#keys.has(item);
  }

  /** The first `count`. */
  first(count: number): T[] {
    return this.#items.slice(0, count);
  }

  /** The key under which an item is held; undefined where it is not. */
  keyOf(item: T): number | undefined {
    return this.#keys.get(item);
  }

  /** How many come before an item, were it held under this key. */
  before(item: T, key: number): number {
    return this.#find(item, key);
  }

  /** Puts an item where its key belongs, wherever it was before. */
  put(item: T, key: number): void {
    const before = this.#keys.get(item);
    if (before !== undefined) {
      const at = this.#find(item, before);
      const lower = at === 0 || this.#compare(this.#items[at - 1], item, key) < 0;
      const upper =
        at + 1 === this.#items.length || this.#compare(this.#items[at + 1], item, key) > 0;
      if (lower && upper) {
        this.#keys.set(item, key);
        return;
      }
      this.#items.splice(at, 1);
    }
    this.#keys.set(item, key);
    this.#items.splice(this.#find(item, key), 0, item);
  }

  remove(item: T): void {
    const key = this.#keys.get(item);
    if (key === undefined) return;
    this.#items.splice(this.#find(item, key), 1);
    this.#keys.delete(item);
  }

  /** The first place whose item does not come before this one. */
  #find(item: T, key: number): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#items[middle], item, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether one that is held comes before (below 0) or after `item` under `key`. */
  #compare(held: T, item: T, key: number): number {
    const own = this.#keys.get(held) ?? 0;
    if (own !== key) return own < key ? -1 : 1;
    return held.order - item.order;
  }
}

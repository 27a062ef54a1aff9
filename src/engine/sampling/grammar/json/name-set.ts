/**
 * Names that have been used: a tree by code points that is never changed. Adding a name makes a new
 * tree, which shares what is the same.
 */
export class NameSet {
  static #count = 0;
  static readonly EMPTY = new NameSet(new Map(), false, 0);

  readonly id = NameSet.#count++;
  /** The empty name is in it: seen from where a name leads, that one ends. */
  readonly isEnd: boolean;
  /** Names in it. */
  readonly size: number;
  /** What the names that begin with a code point go on with. */
  readonly children: ReadonlyMap<number, NameSet>;

  private constructor(children: ReadonlyMap<number, NameSet>, isEnd: boolean, size: number) {
    this.children = children;
    this.isEnd = isEnd;
    this.size = size;
  }

  static of(names: Iterable<string>): NameSet {
    let set = NameSet.EMPTY;
    for (const name of names) set = set.with(name);
    return set;
  }

  with(name: string): NameSet {
    const codes = Array.from(name, (character) => character.codePointAt(0) ?? 0);
    const way: NameSet[] = [this];
    for (let i = 0; i < codes.length; i++) way.push(way[i].children.get(codes[i]) ?? NameSet.EMPTY);
    let made = way[codes.length];
    if (made.isEnd) return this;
    made = new NameSet(made.children, true, made.size + 1);
    for (let i = codes.length - 1; i >= 0; i--) {
      const { children, isEnd, size } = way[i];
      made = new NameSet(new Map(children).set(codes[i], made), isEnd, size + 1);
    }
    return made;
  }

  /** How many of the names satisfy something, by the code points that they go on with. */
  count(satisfies: (codes: readonly number[]) => boolean): number {
    let count = 0;
    const open: [NameSet, readonly number[]][] = [[this, []]];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const [set, codes] = one;
      if (set.isEnd && satisfies(codes)) count++;
      for (const [code, rest] of set.children) open.push([rest, [...codes, code]]);
    }
    return count;
  }
}

/** Names that share a beginning, of so many UTF-16 units. */
interface Unread {
  readonly names: readonly string[];
  readonly from: number;
}

/**
 * Names that have been used: a tree by code points that is never changed, and read from its names as far
 * as it is walked. Adding a name makes a new tree, which shares what is the same.
 */
export class NameSet {
  static #count = 0;
  static readonly EMPTY = new NameSet(new Map(), false, 0);

  readonly id = NameSet.#count++;
  /** The empty name is in it: seen from where a name leads, that one ends. */
  readonly isEnd: boolean;
  /** Names in it. */
  readonly size: number;
  #children: ReadonlyMap<number, NameSet> | Unread;

  private constructor(
    children: ReadonlyMap<number, NameSet> | Unread,
    isEnd: boolean,
    size: number,
  ) {
    this.#children = children;
    this.isEnd = isEnd;
    this.size = size;
  }

  static of(names: Iterable<string>): NameSet {
    return NameSet.#ofRest([...new Set(names)], 0);
  }

  static #ofRest(names: readonly string[], from: number): NameSet {
    if (names.length === 0) return NameSet.EMPTY;
    const isEnd = names.some(({ length }) => length === from);
    return new NameSet({ names, from }, isEnd, names.length);
  }

  /** What the names that begin with a code point go on with. */
  get children(): ReadonlyMap<number, NameSet> {
    if ('names' in this.#children) this.#children = childrenOf(this.#children, NameSet.#ofRest);
    return this.#children;
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

function childrenOf(
  { names, from }: Unread,
  setOf: (names: readonly string[], from: number) => NameSet,
): Map<number, NameSet> {
  const parts = new Map<number, string[]>();
  for (const name of names) {
    const code = name.codePointAt(from);
    if (code === undefined) continue;
    const part = parts.get(code);
    if (part === undefined) parts.set(code, [name]);
    else part.push(name);
  }
  const children = new Map<number, NameSet>();
  for (const [code, part] of parts) children.set(code, setOf(part, from + (code > 0xffff ? 2 : 1)));
  return children;
}

const encoder = new TextEncoder();

/** Texts of one trie, as they are found out. */
class Texts {
  nodes = 0;
  readonly #texts: readonly string[];
  readonly #bytes: (Uint8Array | undefined)[] = [];

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  get size(): number {
    return this.#texts.length;
  }

  bytesOf(member: number): Uint8Array {
    this.#bytes[member] ??= encoder.encode(this.#texts[member]);
    return this.#bytes[member];
  }
}

/** Texts by their bytes: a node for each beginning, made when it is first reached. */
export class ByteTrie {
  readonly id: number;
  /** A text ends here. */
  readonly isEnd: boolean;
  /** Numbers of the texts that go on from here, ascending. */
  readonly members: readonly number[];
  readonly #texts: Texts;
  readonly #depth: number;
  #children: ReadonlyMap<number, ByteTrie> | undefined;

  private constructor(texts: Texts, members: readonly number[], depth: number) {
    this.id = texts.nodes++;
    this.#texts = texts;
    this.members = members;
    this.#depth = depth;
    this.isEnd = members.some((member) => texts.bytesOf(member).length === depth);
  }

  /** Of texts, numbered in their order; none is empty, and none the beginning of another. */
  static of(texts: readonly string[]): ByteTrie {
    const members = texts.map((_, member) => member);
    return new ByteTrie(new Texts(texts), members, 0);
  }

  get children(): ReadonlyMap<number, ByteTrie> {
    this.#children ??= this.#findChildren();
    return this.#children;
  }

  #findChildren(): Map<number, ByteTrie> {
    const parts = new Map<number, number[]>();
    for (const member of this.members) {
      const byte = this.#texts.bytesOf(member)[this.#depth];
      if (byte === undefined) continue;
      const part = parts.get(byte);
      if (part === undefined) parts.set(byte, [member]);
      else part.push(member);
    }
    const children = new Map<number, ByteTrie>();
    for (const [byte, part] of parts) {
      children.set(byte, new ByteTrie(this.#texts, part, this.#depth + 1));
    }
    return children;
  }
}

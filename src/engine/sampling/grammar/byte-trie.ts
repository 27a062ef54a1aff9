/** Texts by their bytes: a node for each beginning. */
export class ByteTrie {
  readonly id: number;
  readonly children = new Map<number, ByteTrie>();
  /** A text ends here. */
  isEnd = false;
  /** Numbers of the texts that go on from here, ascending. */
  readonly members: number[] = [];

  private constructor(id: number) {
    this.id = id;
  }

  /** Of texts, numbered in their order; none is the beginning of another. */
  static of(texts: readonly string[]): ByteTrie {
    let nodes = 0;
    const root = new ByteTrie(nodes++);
    const encoder = new TextEncoder();
    texts.forEach((text, member) => {
      let node = root;
      node.members.push(member);
      for (const byte of encoder.encode(text)) {
        let child = node.children.get(byte);
        if (child === undefined) {
          child = new ByteTrie(nodes++);
          node.children.set(byte, child);
        }
        child.members.push(member);
        node = child;
      }
      node.isEnd = true;
    });
    return root;
  }
}

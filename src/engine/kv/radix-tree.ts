import type { TokenIds } from '../../scheduler';

/** Where a known sequence and a query agree. */
export interface PrefixMatch {
  /** A sequence that starts with the matched tokens. */
  slot: number;
  tokens: number;
}

/** A run of tokens; several sequences may pass through it or end with it. */
class Node {
  /** The tokens between the parent's end and this node's. Never empty, but at the root. */
  edge: number[];
  /** Tokens from the root to this node's end. */
  depth: number;
  parent: Node | undefined;
  /** Whose it is, at the root. */
  group = '';
  readonly children = new Map<number, Node>();
  /** Sequences that end exactly here. */
  readonly ends = new Set<number>();

  constructor(edge: number[], depth: number, parent?: Node) {
    this.edge = edge;
    this.depth = depth;
    this.parent = parent;
  }
}

/**
 * Radix trees over the token ids of sequences, which are known by their slots: one for each group of
 * sequences, which share nothing with those of another.
 */
export class RadixTree {
  readonly #roots = new Map<string, Node>();
  readonly #nodes = new Map<number, Node>();

  get sequences(): number {
    return this.#nodes.size;
  }

  /** Starts a sequence without tokens. */
  add(slot: number, group = ''): void {
    if (this.#nodes.has(slot)) throw new Error(`Slot ${slot} is in the tree.`);
    const root = this.#roots.get(group) ?? new Node([], 0);
    root.group = group;
    this.#roots.set(group, root);
    this.#end(slot, root);
  }

  /** The group that a sequence belongs to. */
  groupOf(slot: number): string {
    let node = this.#node(slot);
    while (node.parent !== undefined) node = node.parent;
    return node.group;
  }

  /** Starts a sequence with another's first `tokens`. */
  fork(parent: number, slot: number, tokens: number): void {
    if (this.#nodes.has(slot)) throw new Error(`Slot ${slot} is in the tree.`);
    this.#end(slot, this.#nodeAt(this.#node(parent), tokens));
  }

  /** Appends tokens `from` to `to` of `tokens` to a sequence. */
  extend(slot: number, tokens: TokenIds, from = 0, to = tokens.length): void {
    if (from >= to) return;
    let node = this.#node(slot);
    if (node.parent !== undefined && node.ends.size === 1 && node.children.size === 0) {
      for (let i = from; i < to; i++) node.edge.push(tokens[i]);
      node.depth += to - from;
      return;
    }
    node.ends.delete(slot);
    for (let at = from; at < to; ) {
      const child: Node | undefined = node.children.get(tokens[at]);
      if (child === undefined) {
        const edge = Array.from({ length: to - at }, (_, i) => tokens[at + i]);
        const leaf = new Node(edge, node.depth + edge.length, node);
        node.children.set(edge[0], leaf);
        node = leaf;
        break;
      }
      const common = commonLength(child.edge, tokens, at, to);
      node = common < child.edge.length ? this.#split(child, common) : child;
      at += common;
    }
    this.#end(slot, node);
  }

  /** Forgets a sequence's tokens beyond the first `tokens`. */
  truncate(slot: number, tokens: number): void {
    const node = this.#node(slot);
    if (tokens >= node.depth) return;
    const kept = this.#nodeAt(node, tokens);
    // A split may have put a node between; the sequence's own is still the one it ended at.
    this.#leave(slot, node, kept);
  }

  remove(slot: number): void {
    this.#leave(slot, this.#node(slot));
    this.#nodes.delete(slot);
  }

  /** The longest prefix of `tokens` (of at most `limit`) that a known sequence of the group starts with. */
  match(tokens: TokenIds, limit = tokens.length, group = ''): PrefixMatch | undefined {
    let node = this.#roots.get(group);
    if (node === undefined) return undefined;
    let matched = 0;
    while (matched < limit) {
      const child: Node | undefined = node.children.get(tokens[matched]);
      if (child === undefined) break;
      const common = commonLength(child.edge, tokens, matched, limit);
      matched += common;
      node = child;
      if (common < child.edge.length) break;
    }
    const slot = matched > 0 ? anySlot(node) : undefined;
    return slot === undefined ? undefined : { slot, tokens: matched };
  }

  /** Whether another sequence starts with all of this one's tokens. */
  covered(slot: number): boolean {
    const node = this.#node(slot);
    return node.ends.size > 1 || node.children.size > 0;
  }

  #node(slot: number): Node {
    const node = this.#nodes.get(slot);
    if (node === undefined) throw new Error(`Slot ${slot} is not in the tree.`);
    return node;
  }

  #end(slot: number, node: Node): void {
    node.ends.add(slot);
    this.#nodes.set(slot, node);
  }

  /** The node that ends after `tokens` tokens on the way to `node`, made if need be. */
  #nodeAt(node: Node, tokens: number): Node {
    let below = node;
    while (below.parent !== undefined && below.parent.depth >= tokens) below = below.parent;
    if (below.depth === tokens) return below;
    const start = below.parent?.depth ?? 0;
    return this.#split(below, tokens - start);
  }

  /** Cuts a node's edge after `length` tokens; returns the upper part, which is new. */
  #split(node: Node, length: number): Node {
    const parent = node.parent;
    if (parent === undefined) throw new Error('The root has no edge to split.');
    const upper = new Node(node.edge.slice(0, length), parent.depth + length, parent);
    parent.children.set(upper.edge[0], upper);
    node.edge = node.edge.slice(length);
    node.parent = upper;
    upper.children.set(node.edge[0], node);
    return upper;
  }

  /** Takes a sequence away from where it ended, to `to` if given, and prunes what nothing needs. */
  #leave(slot: number, from: Node, to?: Node): void {
    from.ends.delete(slot);
    if (to !== undefined) this.#end(slot, to);
    let node = from;
    while (node.parent !== undefined && node.ends.size === 0 && node.children.size === 0) {
      node.parent.children.delete(node.edge[0]);
      node = node.parent;
    }
    if (node.ends.size > 0) return;
    if (node.parent === undefined && node.children.size === 0) this.#roots.delete(node.group);
    if (node.parent !== undefined && node.children.size === 1) this.#join(node);
  }

  /** A node with one child, at which nothing ends, becomes one with it. */
  #join(node: Node): void {
    const { parent } = node;
    const [child] = node.children.values();
    if (parent === undefined || child === undefined) return;
    child.edge = node.edge.concat(child.edge);
    child.parent = parent;
    parent.children.set(child.edge[0], child);
  }
}

/** How far `edge` and `tokens[from..to)` agree. */
function commonLength(edge: readonly number[], tokens: TokenIds, from: number, to: number): number {
  const length = Math.min(edge.length, to - from);
  let common = 0;
  while (common < length && edge[common] === tokens[from + common]) common++;
  return common;
}

/** A sequence that passes through `node` or ends there. Every leaf ends one. */
function anySlot(node: Node): number | undefined {
  let at: Node | undefined = node;
  while (at !== undefined) {
    for (const slot of at.ends) return slot;
    at = at.children.values().next().value;
  }
  return undefined;
}

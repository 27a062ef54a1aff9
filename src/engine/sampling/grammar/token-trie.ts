import type { Pace } from '../pace';
import { REST_EVERY, type Sliced } from '../sliced';

/**
 * Tokens by their beginnings: a tree whose nodes are numbered so that a node's descendants come
 * right after it.
 */
export class TokenTrie {
  /** By node: the last byte (or code point) of the beginning that it stands for. */
  readonly units: Int32Array;
  /** By node: the first node after it that is not below it. */
  readonly ends: Int32Array;
  /** By node: where its tokens, those that end there, begin in `tokens`. */
  readonly #firstTokens: Int32Array;
  readonly #tokens: Int32Array;
  /** The units that occur, ascending. */
  readonly distinct: Int32Array;
  /** By node: the number of its unit in `distinct`. */
  readonly unitNumbers: Int32Array;
  /** By unit: the node of the beginning that is that unit alone. */
  readonly #roots = new Map<number, number>();

  private constructor(
    units: Int32Array,
    ends: Int32Array,
    firstTokens: Int32Array,
    tokens: Int32Array,
  ) {
    this.units = units;
    this.ends = ends;
    this.#firstTokens = firstTokens;
    this.#tokens = tokens;
    this.distinct = Int32Array.from(new Set(units)).sort();
    const numbers = new Map<number, number>();
    this.distinct.forEach((unit, number) => {
      numbers.set(unit, number);
    });
    this.unitNumbers = units.map((unit) => numbers.get(unit) ?? 0);
    for (let node = 0; node < ends.length; node = ends[node]) this.#roots.set(units[node], node);
  }

  /** Of some tokens, by their texts; the units are the texts' code points. */
  static async of(
    tokens: readonly number[],
    texts: readonly (string | undefined)[],
    pace: Pace,
  ): Promise<TokenTrie> {
    const textOf = (token: number) => texts[token] ?? '';
    const most = tokens.reduce((sum, token) => sum + textOf(token).length, 0);
    const units = new Int32Array(most);
    const ends = new Int32Array(most);
    const firstTokens = new Int32Array(most + 1);
    const order = await sorted(tokens, textOf, pace);
    /** The way to the node that was made last. */
    const way: number[] = [];
    let nodes = 0;
    let before = '';
    for (let i = 0; i < order.length; i++) {
      if (i % 64 === 0 && pace.due) await pace.rest();
      const text = textOf(order[i]);
      // As far as it goes with the one before it.
      let at = 0;
      while (
        at < text.length &&
        at < before.length &&
        text.charCodeAt(at) === before.charCodeAt(at)
      )
        at++;
      if (at > 0 && isHigh(text.charCodeAt(at - 1))) at--;
      let depth = at;
      for (let k = 0; k < at; k++) if (isHigh(text.charCodeAt(k))) depth--;
      while (way.length > depth) ends[way.pop() ?? 0] = nodes;
      while (at < text.length) {
        const unit = text.codePointAt(at) ?? 0;
        units[nodes] = unit;
        firstTokens[nodes] = i;
        way.push(nodes++);
        at += unit > 0xffff ? 2 : 1;
      }
      before = text;
    }
    for (const node of way) ends[node] = nodes;
    firstTokens[nodes] = order.length;
    return new TokenTrie(
      units.slice(0, nodes),
      ends.slice(0, nodes),
      firstTokens.slice(0, nodes + 1),
      Int32Array.from(order),
    );
  }

  get size(): number {
    return this.units.length;
  }

  /** Sets the bits of the tokens that end at a node. */
  allow(node: number, mask: Int32Array): void {
    const end = this.#firstTokens[node + 1];
    for (let i = this.#firstTokens[node]; i < end; i++) {
      const token = this.#tokens[i];
      mask[token >> 5] |= 1 << (token & 31);
    }
  }

  /** The node one unit further than another (than none: -1); undefined where no token goes on so. */
  child(node: number, unit: number): number | undefined {
    if (node < 0) return this.#roots.get(unit);
    for (let child = node + 1; child < this.ends[node]; child = this.ends[child]) {
      if (this.units[child] === unit) return child;
    }
    return undefined;
  }

  /** Sets the bits of the tokens that end at a node or below it. */
  allowAll(node: number, mask: Int32Array): void {
    const end = this.#firstTokens[this.ends[node]];
    for (let i = this.#firstTokens[node]; i < end; i++) {
      const token = this.#tokens[i];
      mask[token >> 5] |= 1 << (token & 31);
    }
  }

  /** Goes down from the root as far as `step` leads on, and visits every node that it comes to. */
  *descend<At>(
    start: At,
    step: (at: At, unit: number) => At | null | undefined,
    visit: (node: number) => void,
  ): Sliced<void> {
    const { units, ends, size } = this;
    const way: At[] = [start];
    const until: number[] = [size];
    let depth = 0;
    let steps = 0;
    for (let node = 0; node < size; ) {
      if (++steps % REST_EVERY === 0) yield;
      while (node >= until[depth]) depth--;
      const next = step(way[depth], units[node]);
      if (next === null || next === undefined) {
        node = ends[node];
        continue;
      }
      visit(node);
      depth++;
      way[depth] = next;
      until[depth] = ends[node];
      node++;
    }
  }

  hasTokens(node: number): boolean {
    return this.#firstTokens[node] < this.#firstTokens[node + 1];
  }

  /** The tokens that end at a node. */
  tokensAt(node: number): Int32Array {
    return this.#tokens.subarray(this.#firstTokens[node], this.#firstTokens[node + 1]);
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

/** By their texts, in slices: one call would take a tenth of a second. */
async function sorted(
  tokens: readonly number[],
  textOf: (token: number) => string,
  pace: Pace,
): Promise<number[]> {
  const buckets = new Map<number, number[]>();
  for (let i = 0; i < tokens.length; i++) {
    if (i % 64 === 0 && pace.due) await pace.rest();
    const text = textOf(tokens[i]);
    const key = text.charCodeAt(0) * 0x10000 + (text.length > 1 ? text.charCodeAt(1) : 0);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [tokens[i]]);
    else bucket.push(tokens[i]);
  }
  const all: number[] = [];
  for (const key of [...buckets.keys()].sort((a, b) => a - b)) {
    const bucket = buckets.get(key) ?? [];
    bucket.sort((a, b) => {
      const [x, y] = [textOf(a), textOf(b)];
      return x < y ? -1 : x > y ? 1 : 0;
    });
    for (const token of bucket) all.push(token);
    if (pace.due) await pace.rest();
  }
  return all;
}

import type { Pace } from '../pace';

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

  private constructor(units: number[], ends: number[], firstTokens: number[], tokens: number[]) {
    this.units = Int32Array.from(units);
    this.ends = Int32Array.from(ends);
    this.#firstTokens = Int32Array.from(firstTokens);
    this.#tokens = Int32Array.from(tokens);
    this.distinct = Int32Array.from(new Set(units)).sort();
    const numbers = new Map(Array.from(this.distinct, (unit, number) => [unit, number]));
    this.unitNumbers = this.units.map((unit) => numbers.get(unit) ?? 0);
    for (let node = 0; node < ends.length; node = ends[node]) this.#roots.set(units[node], node);
  }

  /** Of texts, each with its token; the units are the texts' code points. */
  static async of(texts: readonly (readonly [text: string, token: number])[], pace: Pace): Promise<TokenTrie> {
    const units: number[] = [];
    const ends: number[] = [];
    const firstTokens: number[] = [];
    const tokens: number[] = [];
    /** The way to the node that was made last. */
    const way: number[] = [];
    let before = '';
    for (const [text, token] of await sorted(texts, pace)) {
      if (pace.due) await pace.rest();
      let depth = 0;
      let at = 0;
      // As far as it goes with the one before it.
      while (at < text.length && at < before.length && text.charCodeAt(at) === before.charCodeAt(at)) at++;
      if (at > 0 && isHigh(text.charCodeAt(at - 1))) at--;
      for (let i = 0; i < at; i++) if (!isHigh(text.charCodeAt(i))) depth++;
      for (let i = depth; i < way.length; i++) ends[way[i]] = units.length;
      way.length = depth;
      while (at < text.length) {
        const unit = text.codePointAt(at) ?? 0;
        way.push(units.length);
        units.push(unit);
        ends.push(0);
        firstTokens.push(tokens.length);
        at += unit > 0xffff ? 2 : 1;
      }
      tokens.push(token);
      before = text;
    }
    for (const node of way) ends[node] = units.length;
    firstTokens.push(tokens.length);
    return new TokenTrie(units, ends, firstTokens, tokens);
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

  /** The tokens that end at a node. */
  tokensAt(node: number): Int32Array {
    return this.#tokens.subarray(this.#firstTokens[node], this.#firstTokens[node + 1]);
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

/** By their units, in slices: one call would take a tenth of a second. */
async function sorted<T extends readonly [string, number]>(texts: readonly T[], pace: Pace): Promise<T[]> {
  const buckets = new Map<string, T[]>();
  for (const one of texts) {
    const key = one[0].slice(0, 2);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [one]);
    else bucket.push(one);
    if (pace.due) await pace.rest();
  }
  const all: T[] = [];
  for (const key of [...buckets.keys()].sort()) {
    const bucket = buckets.get(key) ?? [];
    bucket.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    for (const one of bucket) all.push(one);
    if (pace.due) await pace.rest();
  }
  return all;
}

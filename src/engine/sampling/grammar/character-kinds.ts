import type { Pace } from '../pace';
import type { TokenTrie } from './token-trie';

/**
 * Characters that languages rarely tell apart, as kinds, one bit each: so that it shows at a glance
 * which characters a whole branch of a trie is made of.
 */
export const KINDS: readonly (readonly (readonly [from: number, to: number])[])[] = [
  ...['af', 'gz', 'AF', 'GZ', '09', '  '].map((ends) => [pair(ends)]),
  ...['__', '--', '..', '//', '::', ',,', '@@', '++', '##', '%%', '&&', '=='].map((ends) => [
    pair(ends),
  ]),
  ...['??', '$$', '**', '()', ';;', '!!', "''"].map((ends) => [pair(ends)]),
  [pair('<<'), pair('>>')],
  [pair('[['), pair(']]'), pair('^^')],
  [pair('{{'), pair('}}'), pair('~~')],
  [pair('``'), pair('||'), [0x7f, 0x7f]],
  // Spaces, ends of lines and the like, and what is around them.
  [
    [0x80, 0xbf],
    [0x1680, 0x1680],
    [0x2000, 0x206f],
    [0x3000, 0x3000],
    [0xfeff, 0xfeff],
  ],
  [
    [0xc0, 0x167f],
    [0x1681, 0x1fff],
    [0x2070, 0x2fff],
    [0x3001, 0xfefe],
    [0xff00, 0x10ffff],
  ],
];

function pair([from, to]: string): [number, number] {
  return [from.charCodeAt(0), to.charCodeAt(0)];
}

const kindOf = (code: number) =>
  KINDS.findIndex((ranges) => ranges.some(([from, to]) => code >= from && code <= to));

/** What the nodes of a trie of plain tokens have below them. */
export interface Branches {
  /** By node: the kinds of the characters below it, its own left aside; bits. */
  readonly kinds: Int32Array;
  /** By node: how many characters its tokens go on for at most. */
  readonly heights: Uint8Array;
}

export async function branchesOf(trie: TokenTrie, pace: Pace): Promise<Branches> {
  const { unitNumbers, ends, size } = trie;
  const kindOfUnit = Uint8Array.from(trie.distinct, kindOf);
  const kinds = new Int32Array(size);
  const heights = new Uint8Array(size);
  for (let node = size - 1; node >= 0; node--) {
    if (node % 64 === 0 && pace.due) await pace.rest();
    for (let child = node + 1; child < ends[node]; child = ends[child]) {
      kinds[node] |= kinds[child] | (1 << kindOfUnit[unitNumbers[child]]);
      heights[node] = Math.max(heights[node], Math.min(255, heights[child] + 1));
    }
  }
  return { kinds, heights };
}

import { VOCABULARY } from './model';

/** Logits of a history: spread evenly over (-3, 3), different for every hash and token. */
export function logitsOf(hash: number): Float32Array {
  return Float32Array.from({ length: VOCABULARY }, (_, token) => {
    let x = Math.imul(hash ^ Math.imul(token + 1, 0x9e3779b1), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 15), 0xc2b2ae35);
    return (((x ^ (x >>> 16)) >>> 0) / 2 ** 32) * 6 - 3;
  });
}

/** A vector that depends on all of the tokens; none of length 1. */
export function vectorOf(ids: readonly number[]): number[] {
  let hash = 0x811c9dc5;
  for (const id of ids) hash = Math.imul(hash ^ id, 0x01000193);
  return Array.from({ length: 8 }, (_, i) => 1 + ((hash >>> (4 * i)) & 15));
}

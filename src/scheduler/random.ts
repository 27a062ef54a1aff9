/** A seeded source of uniform numbers in [0, 1). */
export type Random = () => number;

/** mulberry32: small, fast, and the same on every machine for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The uniform number in [0, 1) that belongs to position `index` of the stream `seed`.
 * Counter-based, so a sequence that is dropped and recomputed draws the same numbers again, and a
 * batch's make-up never changes a request's text.
 */
export function uniformAt(seed: number, index: number): number {
  return seededRandom(Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b))();
}

/** FNV-1a over UTF-16 code units: a stable 32-bit seed out of a text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

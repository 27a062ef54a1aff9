/**
 * A set of code points: inclusive ranges `[from, to, from, to, …]`, sorted, with a gap between any
 * two. Surrogates are in no set: a lone one is no character, and output never holds one.
 */
export type CodePoints = readonly number[];

const LAST_CODE_POINT = 0x10ffff;

export const ANY: CodePoints = [0, 0xd7ff, 0xe000, LAST_CODE_POINT];

/** JavaScript's `\d`, `\w` and `\s`. */
export const DIGITS: CodePoints = [0x30, 0x39];
export const WORD: CodePoints = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const SPACE: CodePoints = [
  ...[0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a],
  ...[0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff],
];
/** What JavaScript's `.` leaves out. */
export const LINE_ENDS: CodePoints = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];

/** Any ranges, in any order, as a set. Takes n log n. */
export function codePoints(ranges: readonly (readonly [number, number])[]): CodePoints {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const set: number[] = [];
  for (const [from, to] of sorted) {
    if (from > to) continue;
    const last = set.length - 1;
    if (last > 0 && from <= set[last] + 1) set[last] = Math.max(set[last], to);
    else set.push(from, to);
  }
  return set.some((bound) => bound >= 0xd800 && bound <= 0xdfff) || spansSurrogates(set)
    ? intersect(set, ANY)
    : set;
}

function spansSurrogates(set: CodePoints): boolean {
  for (let i = 0; i < set.length; i += 2) if (set[i] < 0xd800 && set[i + 1] > 0xdfff) return true;
  return false;
}

export function union(...sets: readonly CodePoints[]): CodePoints {
  const ranges: [number, number][] = [];
  for (const set of sets) {
    for (let i = 0; i < set.length; i += 2) ranges.push([set[i], set[i + 1]]);
  }
  return codePoints(ranges);
}

function intersect(a: CodePoints, b: CodePoints): CodePoints {
  const set: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const from = Math.max(a[i], b[j]);
    const to = Math.min(a[i + 1], b[j + 1]);
    if (from <= to) set.push(from, to);
    if (a[i + 1] < b[j + 1]) i += 2;
    else j += 2;
  }
  return set;
}

/** All code points that are not in the set. */
export function complement(set: CodePoints): CodePoints {
  const rest: number[] = [];
  let from = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i] > from) rest.push(from, set[i] - 1);
    from = set[i + 1] + 1;
  }
  if (from <= LAST_CODE_POINT) rest.push(from, LAST_CODE_POINT);
  return intersect(rest, ANY);
}

export function has(set: CodePoints, codePoint: number): boolean {
  let low = 0;
  let high = set.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (codePoint < set[2 * middle]) high = middle;
    else if (codePoint > set[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

/** With the other case of each ASCII letter. */
export function ignoringCase(set: CodePoints): CodePoints {
  const upper = intersect(set, [0x41, 0x5a]).map((bound) => bound + 0x20);
  const lower = intersect(set, [0x61, 0x7a]).map((bound) => bound - 0x20);
  return union(set, upper, lower);
}

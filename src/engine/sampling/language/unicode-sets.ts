import type { Pace } from '../pace';
import { type CodePoints, codePoints } from './code-points';

/** Code points that are looked at in one go. */
const BLOCK = 0x1000;
/** Where properties vary from code point to code point; elsewhere one stands for all of a region. */
const VARIED: readonly (readonly [number, number])[] = [
  [0, 0x3ffff],
  [0xe0000, 0xe0fff],
];
const UNIFORM: readonly (readonly [number, number])[] = [
  [0x40000, 0xdffff], // unassigned
  [0xe1000, 0xeffff],
  [0xf0000, 0xffffd], // private use
  [0xffffe, 0xfffff],
  [0x100000, 0x10fffd],
  [0x10fffe, 0x10ffff],
];

const known = new Map<string, CodePoints>();

/** Escapes of Unicode's properties in a regular expression: `\p{…}` and `\P{…}`. */
const PROPERTY = /\\[pP]\{[\w=]{1,64}\}/g;

/**
 * Looks up the sets of all properties that a pattern names, by escape. The engine's own tables are
 * asked. What is no property is left out.
 */
export async function unicodeSets(
  pattern: string,
  pace: Pace,
): Promise<ReadonlyMap<string, CodePoints>> {
  for (const [property] of pattern.matchAll(PROPERTY)) {
    if (known.has(property)) continue;
    const member = expression(property);
    if (member !== undefined) known.set(property, await membersOf(member, pace));
  }
  return known;
}

/** Matches one member, or undefined where there is no such property. */
function expression(property: string): RegExp | undefined {
  try {
    return new RegExp(`${property}+`, 'gu');
  } catch {
    return undefined;
  }
}

async function membersOf(members: RegExp, pace: Pace): Promise<CodePoints> {
  const ranges: [number, number][] = [];
  for (const [from, to] of VARIED) {
    for (let start = from; start <= to; start += BLOCK) {
      ranges.push(...rangesWithin(members, start, start + BLOCK - 1));
      if (pace.due) await pace.rest();
    }
  }
  for (const [from, to] of UNIFORM) {
    if (String.fromCodePoint(from).match(members)) ranges.push([from, to]);
  }
  return codePoints(ranges);
}

function rangesWithin(members: RegExp, from: number, to: number): [number, number][] {
  const units = from > 0xffff ? 2 : 1;
  let text = '';
  for (let code = from; code <= to && code !== 0xd800; code++) text += String.fromCodePoint(code);
  return Array.from(text.matchAll(members), ({ index, 0: run }) => [
    from + index / units,
    from + (index + run.length) / units - 1,
  ]);
}

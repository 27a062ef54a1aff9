/**
 * A regular expression (a JSON Schema's `pattern`) as EBNF: of the JSON string that holds what matches,
 * or of that text itself. xgrammar 0.1.27's own patterns
 * write quotation marks and control characters as they are (the output is no JSON then), and read
 * `a|b` as the ends of two strings.
 *
 * The pattern describes the whole string, as everywhere in constrained decoding; a `^` at its start
 * and a `$` at its end change nothing.
 */

import { TempoError } from '../../scheduler';

/** Code points, as sorted, separate, inclusive ranges. */
type CodePoints = readonly (readonly [number, number])[];

const LAST = 0x10ffff;
const DIGITS: CodePoints = [[0x30, 0x39]];
const WORD: CodePoints = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** Of the white space in ASCII; like LINE_ENDS, so that all but these can be named. */
const SPACE: CodePoints = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const LINE_ENDS: CodePoints = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
];
const ASCII: CodePoints = [[0, 0x7f]];
const BEYOND_ASCII: CodePoints = [
  [0x80, 0xd7ff],
  [0xe000, LAST],
];
/** How characters are written. */
interface Alphabet {
  /** What stands as it is. */
  plain: CodePoints;
  /** What is written with a backslash, and how. */
  escaped: readonly (readonly [number, string])[];
  /** Where they stand, in words. */
  where: string;
}

const JSON_STRING: Alphabet = {
  plain: [
    [0x20, 0x21],
    [0x23, 0x5b],
    [0x5d, 0xd7ff],
    [0xe000, LAST],
  ],
  escaped: [
    [0x22, '"'],
    [0x5c, '\\'],
    [0x0a, 'n'],
    [0x09, 't'],
    [0x0d, 'r'],
    [0x08, 'b'],
    [0x0c, 'f'],
  ],
  where: 'JSON string',
};

/** Text without control characters, but for tabs and line breaks. */
const TEXT: Alphabet = {
  plain: [
    [0x09, 0x0a],
    [0x0d, 0x0d],
    [0x20, 0xd7ff],
    [0xe000, LAST],
  ],
  escaped: [],
  where: 'text',
};

/** Of repetitions: xgrammar works through the vocabulary for each of them. */
export const MAX_LENGTH = 64;
const MAX_SPELT_OUT = 512;

/** Of the inside of a JSON string. Throws an Error that says what in the pattern cannot be followed. */
export function patternToEbnf(pattern: string): string {
  return new PatternReader([...pattern], JSON_STRING).read();
}

/** A whole grammar, of texts that match. Throws `invalid_schema` for what cannot be followed. */
export function patternToGrammar(pattern: string, path: string): string {
  try {
    return `root ::= ${new PatternReader([...pattern], TEXT).read()}`;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new TempoError('invalid_schema', `${path} ${words}.`, { param: path, cause: error });
  }
}

class PatternReader {
  readonly #text: readonly string[];
  readonly #alphabet: Alphabet;
  #at = 0;

  constructor(text: readonly string[], alphabet: Alphabet) {
    this.#text = text;
    this.#alphabet = alphabet;
  }

  read(): string {
    const ebnf = this.#choice();
    if (this.#at < this.#text.length) throw new Error('has a ")" too many');
    return ebnf;
  }

  #peek(ahead = 0): string | undefined {
    return this.#text[this.#at + ahead];
  }

  /** Takes the next characters if they are these. */
  #take(expected: string): boolean {
    for (let i = 0; i < expected.length; i++) if (this.#peek(i) !== expected[i]) return false;
    this.#at += expected.length;
    return true;
  }

  #choice(): string {
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    return `(${options.join(' | ')})`;
  }

  #sequence(): string {
    const parts: string[] = [];
    this.#take('^');
    for (;;) {
      const next = this.#peek();
      if (next === undefined || next === '|' || next === ')') break;
      if (next === '$') {
        this.#at++;
        const after = this.#peek();
        if (after !== undefined && after !== '|' && after !== ')') {
          throw new Error('has a "$" in its middle');
        }
        continue;
      }
      parts.push(this.#atom() + this.#repetition());
    }
    return parts.length === 0 ? '""' : parts.join(' ');
  }

  #atom(): string {
    if (this.#take('(')) {
      this.#groupKind();
      const inner = this.#choice();
      if (!this.#take(')')) throw new Error('has a "(" that is not closed');
      return inner;
    }
    if (this.#take('[')) return this.#characters(this.#class());
    if (this.#take('.')) return this.#characters(complement(LINE_ENDS));
    if (this.#take('\\')) return this.#characters(this.#escape());
    const character = this.#text[this.#at++];
    if ('^*+?'.includes(character)) throw new Error(`has a "${character}" with nothing before it`);
    return this.#characters(only(character));
  }

  #characters(points: CodePoints): string {
    return characters(points, this.#alphabet);
  }

  #groupKind(): void {
    if (!this.#take('?')) return;
    if (this.#take(':')) return;
    if (this.#peek() === '<' && this.#peek(1) !== '=' && this.#peek(1) !== '!') {
      while (this.#peek() !== undefined && !this.#take('>')) this.#at++;
      return;
    }
    throw new Error('uses lookaround or group flags, which output cannot be constrained by');
  }

  #repetition(): string {
    let repetition = '';
    const next = this.#peek();
    if (next === '*' || next === '+' || next === '?') {
      this.#at++;
      repetition = next;
    } else if (next === '{') {
      repetition = this.#count();
    }
    if (repetition !== '') this.#take('?'); // lazy or not, the same strings match
    return repetition;
  }

  #count(): string {
    const match = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#at, this.#at + 20).join(''));
    if (match === null) throw new Error('has a "{" that starts no repetition; write \\{');
    const [all, least, comma, most] = match;
    if (Math.max(Number(least), Number(most || 0)) > MAX_LENGTH) {
      throw new Error(`repeats more than ${MAX_LENGTH} times`);
    }
    this.#at += all.length;
    return comma === undefined ? `{${least}}` : `{${least},${most}}`;
  }

  #class(): CodePoints {
    const negated = this.#take('^');
    let points: CodePoints = [];
    while (!this.#take(']')) {
      if (this.#peek() === undefined) throw new Error('has a "[" that is not closed');
      const low = this.#member();
      const isRange = this.#peek() === '-' && this.#peek(1) !== ']' && low.length === 1;
      if (!isRange) {
        points = union(points, low);
        continue;
      }
      this.#at++;
      const high = this.#member();
      const [from] = low[0];
      const [to] = high[0];
      if (high.length !== 1 || high[0][0] !== high[0][1] || to < from) {
        throw new Error('has a range in brackets that is none');
      }
      points = union(points, [[from, to]]);
    }
    return negated ? complement(points) : points;
  }

  #member(): CodePoints {
    if (this.#take('\\')) return this.#peek() === 'b' ? this.#backspace() : this.#escape();
    return only(this.#text[this.#at++]);
  }

  #backspace(): CodePoints {
    this.#at++;
    return [[0x08, 0x08]];
  }

  /** What follows a backslash. */
  #escape(): CodePoints {
    const letter = this.#text[this.#at++];
    switch (letter) {
      case undefined:
        throw new Error('ends in a backslash');
      case 'd':
        return DIGITS;
      case 'D':
        return complement(DIGITS);
      case 'w':
        return WORD;
      case 'W':
        return complement(WORD);
      case 's':
        return SPACE;
      case 'S':
        return complement(SPACE);
      case 'n':
        return only('\n');
      case 't':
        return only('\t');
      case 'r':
        return only('\r');
      case 'f':
        return only('\f');
      case 'x':
        return this.#hex(2);
      case 'u':
        return this.#hex(4);
    }
    if (/[a-zA-Z0-9]/.test(letter)) {
      throw new Error(`uses \\${letter}, which output cannot be constrained by`);
    }
    return only(letter);
  }

  #hex(digits: number): CodePoints {
    const text = this.#text.slice(this.#at, this.#at + digits).join('');
    if (!/^[0-9a-fA-F]+$/.test(text) || text.length !== digits) {
      throw new Error('has an escape that is not finished');
    }
    this.#at += digits;
    const point = Number.parseInt(text, 16);
    return [[point, point]];
  }
}

/**
 * EBNF of one character out of these, as it is written.
 *
 * xgrammar 0.1.27's classes hold ASCII only (`AdvanceCharacterClass`: beyond it just a negated class
 * matches, and then anything), so other characters are spelt out, or all of them taken together.
 */
function characters(points: CodePoints, { plain: asIs, escaped, where }: Alphabet): string {
  const options: string[] = [];
  const plain = intersection(points, asIs);
  const ascii = intersection(plain, ASCII).map(([from, to]) =>
    from === to ? codePoint(from) : `${codePoint(from)}-${codePoint(to)}`,
  );
  if (ascii.length > 0) options.push(`[${ascii.join('')}]`);

  const others = intersection(plain, BEYOND_ASCII);
  if (count(others) === count(BEYOND_ASCII)) {
    options.push('[^\\x00-\\x7f]');
  } else if (count(others) <= MAX_SPELT_OUT) {
    for (const [from, to] of others) {
      for (let point = from; point <= to; point++) options.push(`"${codePoint(point)}"`);
    }
  } else {
    throw new Error(
      'names some of the characters beyond ASCII: name all, or at most a few hundred',
    );
  }
  for (const [point, letter] of escaped) {
    if (intersection(points, [[point, point]]).length === 0) continue;
    options.push(letter === '"' || letter === '\\' ? `"\\\\\\${letter}"` : `"\\\\${letter}"`);
  }
  if (options.length === 0) throw new Error(`asks for a character that no ${where} can hold`);
  return options.length === 1 ? options[0] : `(${options.join(' | ')})`;
}

function codePoint(point: number): string {
  return `\\U${point.toString(16).padStart(8, '0')}`;
}

function count(points: CodePoints): number {
  return points.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

function only(character: string): CodePoints {
  const point = character.codePointAt(0) ?? 0;
  return [[point, point]];
}

function union(a: CodePoints, b: CodePoints): CodePoints {
  const sorted = [...a, ...b].sort((x, y) => x[0] - y[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

function complement(points: CodePoints): CodePoints {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of union(points, [])) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return gaps;
}

function intersection(a: CodePoints, b: CodePoints): CodePoints {
  return complement(union(complement(a), complement(b)));
}

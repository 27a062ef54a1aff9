/**
 * Regular expressions as JSON Schema has them: JavaScript's, with the flag `u`. What that flag
 * forbids and the language allows without it (`\-` outside of a class, a brace on its own) is read
 * as without it.
 */
import {
  type CodePoints,
  codePoints,
  complement,
  DIGITS,
  ignoringCase,
  LINE_ENDS,
  SPACE,
  union,
  WORD,
} from './code-points';
import type { Term, Terms } from './terms';
import { TooComplex } from './too-complex';

/** A pattern that cannot be followed. The message completes "The pattern …". */
export class BadPattern extends Error {}

/** Groups within groups: the reader calls itself for each. */
const MAX_DEPTH = 100;
const MAX_LENGTH = 16_384;
/** Repetitions: beyond it an automaton would be too large in any case. */
const MAX_COUNT = 65_536;

export interface PatternOptions {
  /** Letters of ASCII stand for both of their cases (JavaScript's flag `i`). */
  ignoreCase?: boolean;
  /** The sets of the `\p{…}` in the pattern, by escape. */
  unicodeSets?: ReadonlyMap<string, CodePoints>;
}

/** What a pattern finds, wherever in a text. Throws BadPattern or TooComplex. */
export function patternTerm(terms: Terms, pattern: string, options: PatternOptions = {}): Term {
  if (pattern.length > MAX_LENGTH) throw new TooComplex(`is longer than ${MAX_LENGTH} characters`);
  return new PatternReader(terms, pattern, options).read();
}

const CONTROL: Readonly<Record<string, number>> = { f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09, v: 0x0b };
const NAMED: Readonly<Record<string, CodePoints>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};

/** One character (a surrogate, too), or any of several. */
type Character = number | CodePoints;

class PatternReader {
  readonly #terms: Terms;
  readonly #text: readonly string[];
  readonly #options: PatternOptions;
  #at = 0;
  #depth = 0;

  constructor(terms: Terms, pattern: string, options: PatternOptions) {
    this.#terms = terms;
    this.#text = [...pattern];
    this.#options = options;
  }

  read(): Term {
    const term = this.#choice();
    if (this.#at < this.#text.length) throw new BadPattern('closes a group that is not open');
    return term;
  }

  #choice(): Term {
    if (++this.#depth > MAX_DEPTH) throw new TooComplex('has too many groups within groups');
    const terms = [this.#sequence()];
    while (this.#take('|')) terms.push(this.#sequence());
    this.#depth--;
    return this.#terms.either(terms);
  }

  #sequence(): Term {
    const terms: Term[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; ) {
      terms.push(this.#quantified(this.#atom()));
      next = this.#peek();
    }
    return this.#terms.sequence(...terms);
  }

  #atom(): Term {
    const terms = this.#terms;
    const character = this.#next();
    switch (character) {
      case '.':
        return terms.set(complement(LINE_ENDS));
      case '^':
        return terms.assert('start');
      case '$':
        return terms.assert('end');
      case '(':
        return this.#group();
      case '[':
        return terms.set(this.#class());
      case '*':
      case '+':
      case '?':
        throw new BadPattern(`has a ${character} with nothing to repeat`);
      case '\\':
        if (this.#take('b')) return terms.assert('word boundary');
        if (this.#take('B')) return terms.assert('no word boundary');
        return terms.set(this.#cased(asSet(this.#escape())));
      default:
        return terms.set(this.#cased(asSet(codeOf(character))));
    }
  }

  #group(): Term {
    const terms = this.#terms;
    const close = (term: Term) => {
      if (!this.#take(')')) throw new BadPattern('has a group that is not closed');
      return term;
    };
    if (!this.#take('?')) return close(this.#choice());
    if (this.#take(':')) return close(this.#choice());
    if (this.#take('=')) return close(terms.look(this.#choice(), false));
    if (this.#take('!')) return close(terms.look(this.#choice(), true));
    if (!this.#take('<')) throw new BadPattern('has a group of a kind that is not known');
    if (this.#peek() === '=' || this.#peek() === '!') {
      throw new BadPattern('looks behind, which output cannot be held to');
    }
    while (this.#next() !== '>'); // a name
    return close(this.#choice());
  }

  #quantified(term: Term): Term {
    let quantified = term;
    const counts = this.#counts();
    if (counts === undefined) return term;
    const [min, max] = counts;
    if (min > max) throw new BadPattern(`repeats from ${min} to ${max} times`);
    if (min > MAX_COUNT || (max !== Infinity && max > MAX_COUNT)) {
      throw new TooComplex(`repeats something more than ${MAX_COUNT} times`);
    }
    // A place that is tried again is still the same place.
    if (term.kind === 'look' || term.kind === 'assert') {
      quantified = min === 0 ? this.#terms.empty : term;
    } else {
      quantified = this.#terms.repeat(term, min, max);
    }
    this.#take('?'); // lazy: the same texts
    return quantified;
  }

  #counts(): [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    if (this.#peek() !== '{') return undefined;
    const [all, min, comma, max] =
      /^\{(\d{1,9})(,?)(\d{0,9})\}/.exec(this.#text.slice(this.#at, this.#at + 24).join('')) ?? [];
    if (all === undefined || (comma === '' && max !== '')) return undefined; // a brace
    this.#at += all.length;
    if (comma === '') return [Number(min), Number(min)];
    return [Number(min), max === '' ? Infinity : Number(max)];
  }

  #class(): CodePoints {
    const negative = this.#take('^');
    const sets: CodePoints[] = [];
    while (!this.#take(']')) {
      const from = this.#classMember();
      if (this.#peek() !== '-' || this.#text[this.#at + 1] === ']') {
        sets.push(asSet(from));
        continue;
      }
      this.#at++;
      const to = this.#classMember();
      if (typeof from === 'number' && typeof to === 'number') {
        if (from > to) throw new BadPattern('has a range that goes backwards');
        sets.push(codePoints([[from, to]]));
      } else {
        sets.push(asSet(from), asSet(codeOf('-')), asSet(to)); // `[\w-.]`
      }
    }
    const set = this.#cased(union(...sets));
    return negative ? complement(set) : set;
  }

  #classMember(): Character {
    const character = this.#next('a class');
    if (character !== '\\') return codeOf(character);
    return this.#take('b') ? 0x08 : this.#escape();
  }

  /** What follows a backslash. */
  #escape(): Character {
    const character = this.#next('an escape');
    if (Object.hasOwn(NAMED, character)) return NAMED[character];
    if (Object.hasOwn(CONTROL, character)) return CONTROL[character];
    switch (character) {
      case 'x':
        return this.#hex(2);
      case 'u':
        return this.#unicodeEscape();
      case 'c':
        return codeOf(this.#next('an escape')) % 32;
      case '0':
        if (!/\d/.test(this.#peek() ?? '')) return 0;
        throw new BadPattern('has an octal escape');
      case 'p':
      case 'P':
        return this.#property(character);
      default:
        if (/[1-9k]/.test(character)) {
          throw new BadPattern('refers back to a group, which output cannot be held to');
        }
        if (/[a-zA-Z]/.test(character))
          throw new BadPattern(`has \\${character}, which is no escape`);
        return codeOf(character);
    }
  }

  #unicodeEscape(): number {
    if (this.#take('{')) {
      let digits = '';
      for (let next = this.#next(); next !== '}'; next = this.#next()) digits += next;
      const code = Number.parseInt(digits, 16);
      if (!/^[\da-fA-F]{1,8}$/.test(digits) || code > 0x10ffff) {
        throw new BadPattern('has a \\u{…} that is no code point');
      }
      return code;
    }
    const unit = this.#hex(4);
    const isHigh = unit >= 0xd800 && unit <= 0xdbff;
    const low = /^\\u([dD][c-fC-F][\da-fA-F]{2})/.exec(
      this.#text.slice(this.#at, this.#at + 6).join(''),
    );
    if (!isHigh || low === null) return unit;
    this.#at += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (Number.parseInt(low[1], 16) - 0xdc00);
  }

  #hex(count: number): number {
    const digits = this.#text.slice(this.#at, this.#at + count).join('');
    if (digits.length < count || !/^[\da-fA-F]+$/.test(digits)) {
      throw new BadPattern('has an escape without its digits');
    }
    this.#at += count;
    return Number.parseInt(digits, 16);
  }

  #property(kind: string): CodePoints {
    let property = `\\${kind}`;
    do property += this.#next('an escape');
    while (!property.endsWith('}') && property.length < 80);
    const set = this.#options.unicodeSets?.get(property);
    if (set === undefined)
      throw new BadPattern(`has ${property}, which is no property of Unicode's`);
    return set;
  }

  #cased(set: CodePoints): CodePoints {
    return this.#options.ignoreCase ? ignoringCase(set) : set;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #next(within = 'something'): string {
    const character = this.#text[this.#at++];
    if (character === undefined) throw new BadPattern(`ends within ${within}`);
    return character;
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function asSet(character: Character): CodePoints {
  return typeof character === 'number' ? codePoints([[character, character]]) : character;
}

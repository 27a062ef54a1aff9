/**
 * Grammars in EBNF, as xgrammar and llama.cpp read them: rules `name ::= …`, texts in quotation
 * marks, classes of characters, groups, alternatives, repetitions; `root` is the grammar.
 */
import { Alphabet } from '../language/alphabet';
import {
  type CodePoints,
  codePoints,
  complement,
  DIGITS,
  SPACE,
  union,
  WORD,
} from '../language/code-points';
import { DEAD, Dfa } from '../language/dfa';
import type { Pace } from '../pace';
import { BadGrammar } from './bad-grammar';
import { EMPTY, type Expression, NOTHING, type Rule } from './expression';
import { leaveOutEndless, turnLeftRecursion } from './rules';

const MAX_LENGTH = 100_000;
/** Groups within groups: the reader calls itself for each. */
const MAX_DEPTH = 100;
const MAX_COUNT = 100_000;

/** Reads a grammar. Throws BadGrammar, with the line of what is wrong. */
export async function readEbnf(grammar: string, pace: Pace): Promise<Expression> {
  if (grammar.length > MAX_LENGTH) throw new BadGrammar(`is longer than ${MAX_LENGTH} characters`);
  const rules = new Reader(grammar).read();
  const root = rules.find(({ name }) => name === 'root');
  if (root === undefined) throw new BadGrammar('has no rule "root"');
  await leaveOutEndless(rules, pace);
  if (root.body === NOTHING) {
    throw new BadGrammar('allows no text: its rule "root" never comes to an end');
  }
  await turnLeftRecursion(rules, pace);
  return { kind: 'rule', rule: root };
}

const NAME = /[a-zA-Z_.-][\w.-]*/y;
const BLANK = /(?:[ \t\r\n]|#[^\r\n]*)*/y;
const COUNTS = /\{\s*(\d{1,9})\s*(,?)\s*(\d{0,9})\s*\}/y;
const ESCAPES: Readonly<Record<string, number>> = {
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  b: 0x08,
  f: 0x0c,
  v: 0x0b,
  a: 0x07,
  e: 0x1b,
  '0': 0,
};
const CLASSES: Readonly<Record<string, CodePoints>> = {
  d: DIGITS,
  D: complement(DIGITS),
  s: SPACE,
  S: complement(SPACE),
  w: WORD,
  W: complement(WORD),
};

class Reader {
  readonly #text: string;
  readonly #rules = new Map<string, Rule & { isDefined?: boolean }>();
  /** Where each rule was first referred to. */
  readonly #references = new Map<string, number>();
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Rule[] {
    this.#blank();
    while (this.#at < this.#text.length) this.#rule();
    for (const [name, { isDefined }] of this.#rules) {
      if (!isDefined) this.#fail(`Rule "${name}" is not defined`, this.#references.get(name));
    }
    return [...this.#rules.values()];
  }

  #rule(): void {
    const start = this.#at;
    const name = this.#name();
    if (name === undefined) this.#fail('a rule must begin here: name ::= …');
    this.#blank();
    if (!this.#text.startsWith('::=', this.#at)) this.#fail('::= must come here');
    this.#at += 3;
    this.#blank();
    const rule = this.#ruleOf(name, start);
    if (rule.isDefined) this.#fail(`Rule "${name}" is defined twice`, start);
    rule.isDefined = true;
    rule.body = this.#choice();
    // What must follow a rule is for those who compile ahead; the grammar says it in any case.
    if (this.#text.startsWith('(=', this.#at)) {
      this.#at += 2;
      this.#blank();
      this.#choice();
      this.#expect(')');
    }
  }

  #choice(): Expression {
    if (++this.#depth > MAX_DEPTH) this.#fail('groups are nested too deep');
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0] : { kind: 'choice', parts };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    for (;;) {
      const part = this.#element();
      if (part === undefined) break;
      parts.push(this.#repeated(part));
    }
    return parts.length === 1 ? parts[0] : parts.length === 0 ? EMPTY : { kind: 'sequence', parts };
  }

  #element(): Expression | undefined {
    const start = this.#at;
    switch (this.#text[this.#at]) {
      case '"':
        return this.#literal();
      case '[':
        return this.#class();
      case '(': {
        if (this.#text[this.#at + 1] === '=') return undefined;
        this.#at++;
        this.#blank();
        const choice = this.#choice();
        this.#expect(')');
        return choice;
      }
    }
    const name = this.#name();
    if (name === undefined) return undefined;
    this.#blank();
    if (this.#text.startsWith('::=', this.#at)) {
      this.#at = start; // the next rule
      return undefined;
    }
    if (this.#text[this.#at] === '(' && /^(TagDispatch|Token|ExcludeToken)$/.test(name)) {
      this.#fail(`${name}(…) is not supported`, start);
    }
    return { kind: 'rule', rule: this.#ruleOf(name, start) };
  }

  #repeated(part: Expression): Expression {
    let repeated = part;
    for (;;) {
      const counts = this.#counts();
      if (counts === undefined) return repeated;
      const [min, max] = counts;
      if (min > max) this.#fail(`something repeats from ${min} to ${max} times`);
      if (min > MAX_COUNT || (max !== Infinity && max > MAX_COUNT)) {
        this.#fail(`something repeats more than ${MAX_COUNT} times`);
      }
      repeated = { kind: 'repeat', part: repeated, min, max };
      this.#blank();
    }
  }

  #counts(): [number, number] | undefined {
    const character = this.#text[this.#at];
    if (character === '*' || character === '+' || character === '?') {
      this.#at++;
      return [character === '+' ? 1 : 0, character === '?' ? 1 : Infinity];
    }
    if (character !== '{') return undefined;
    COUNTS.lastIndex = this.#at;
    const [all, min, comma, max] = COUNTS.exec(this.#text) ?? [];
    if (all === undefined || (comma === '' && max !== ''))
      return this.#fail('{ must be followed by counts: {2}, {2,} or {2,5}');
    this.#at += all.length;
    if (comma === '') return [Number(min), Number(min)];
    return [Number(min), max === '' ? Infinity : Number(max)];
  }

  #literal(): Expression {
    const start = this.#at++;
    let text = '';
    for (;;) {
      const character = this.#character();
      if (character === undefined || character === '\n' || character === '\r') {
        this.#fail('Expect " in string literal', start);
      }
      if (character === '"') break;
      text += character === '\\' ? String.fromCodePoint(this.#escape()) : character;
    }
    this.#blank();
    return { kind: 'text', text };
  }

  #class(): Expression {
    const start = this.#at++;
    const isNegative = this.#text[this.#at] === '^';
    if (isNegative) this.#at++;
    const sets: CodePoints[] = [];
    const member = (): number | CodePoints => {
      const character = this.#character();
      if (character === undefined || character === '\n' || character === '\r') {
        return this.#fail('a class of characters is not closed', start);
      }
      if (character !== '\\') return character.codePointAt(0) ?? 0;
      const named = this.#text[this.#at];
      if (!Object.hasOwn(CLASSES, named)) return this.#escape();
      this.#at++;
      return CLASSES[named];
    };
    while (this.#text[this.#at] !== ']') {
      const from = member();
      const isRange = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']';
      if (!isRange || typeof from !== 'number') {
        sets.push(typeof from === 'number' ? codePoints([[from, from]]) : from);
        continue;
      }
      this.#at++;
      const to = member();
      if (typeof to !== 'number' || from > to)
        this.#fail('a range of characters goes backwards', start);
      else sets.push(codePoints([[from, to]]));
    }
    this.#at++;
    this.#blank();
    const set = union(...sets);
    return { kind: 'language', dfa: oneOf(isNegative ? complement(set) : set) };
  }

  /** The code point of what follows a backslash. */
  #escape(): number {
    const start = this.#at;
    const character = this.#character() ?? '';
    if (Object.hasOwn(ESCAPES, character)) return ESCAPES[character];
    const digits = { x: 2, u: 4, U: 8 }[character];
    if (digits === undefined) {
      if (character === '' || /[a-zA-Z0-9]/.test(character))
        this.#fail('Invalid escape sequence', start);
      return character.codePointAt(0) ?? 0;
    }
    const hex = this.#text.slice(this.#at, this.#at + digits);
    const code = Number.parseInt(hex, 16);
    if (hex.length < digits || !/^[\da-fA-F]+$/.test(hex) || code > 0x10ffff) {
      this.#fail('Invalid escape sequence', start);
    }
    this.#at += digits;
    return code;
  }

  /** Takes a character, a whole one. */
  #character(): string | undefined {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return undefined;
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  #name(): string | undefined {
    NAME.lastIndex = this.#at;
    const [name] = NAME.exec(this.#text) ?? [];
    if (name !== undefined) this.#at += name.length;
    return name;
  }

  #ruleOf(name: string, at: number): Rule & { isDefined?: boolean } {
    const known = this.#rules.get(name);
    if (known !== undefined) return known;
    const rule = { name, body: EMPTY };
    this.#rules.set(name, rule);
    this.#references.set(name, at);
    return rule;
  }

  #blank(): void {
    BLANK.lastIndex = this.#at;
    this.#at += BLANK.exec(this.#text)?.[0].length ?? 0;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    this.#blank();
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.#fail(`${character} must come here`);
  }

  #fail(words: string, at = this.#at): never {
    const before = this.#text.slice(0, at).split('\n');
    const column = before[before.length - 1].length + 1;
    throw new BadGrammar(`cannot be read at line ${before.length}, column ${column}: ${words}`);
  }
}

/** The texts of one character of a set. */
function oneOf(set: CodePoints): Dfa {
  const alphabet = Alphabet.of([set]);
  const next = alphabet
    .representatives()
    .map((code) =>
      set.some((from, i) => i % 2 === 0 && code >= from && code <= set[i + 1]) ? 1 : DEAD,
    );
  return new Dfa({ alphabet, next: [...next, ...next.map(() => DEAD)], accepting: [0, 1] });
}

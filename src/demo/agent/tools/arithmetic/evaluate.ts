import { call, factorial } from './functions';
import {
  add,
  decimal,
  divide,
  finite,
  modulo,
  multiply,
  negate,
  power,
  toJson,
  type Value,
} from './value';

/** A longer one was not meant. */
const MAX_CHARACTERS = 1000;
/** Each operation is short; all together may take so long, ms. */
const WITHIN_MS = 50;

const TOKEN = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-z_][a-z_\d]*)|(\*\*|\S))/giy;

const CONSTANTS: Readonly<Record<string, number>> = {
  e: Math.E,
  phi: (1 + Math.sqrt(5)) / 2,
  pi: Math.PI,
  π: Math.PI,
  tau: 2 * Math.PI,
};

/** Other ways to write an operator. */
const SAME: Readonly<Record<string, string>> = {
  '×': '*',
  '·': '*',
  '÷': '/',
  '−': '-',
  '**': '^',
};

interface Token {
  kind: 'number' | 'name' | 'sign' | 'end';
  text: string;
}

/** What an expression in arithmetic comes to. Throws an Error that says what is wrong with it. */
export function evaluate(expression: string): number | string {
  if (expression.length > MAX_CHARACTERS) {
    throw new Error(`It is longer than ${MAX_CHARACTERS} characters.`);
  }
  return toJson(new Expression(expression).value());
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [, number, name, sign = ''] of text.trimEnd().matchAll(TOKEN)) {
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (sign in CONSTANTS) tokens.push({ kind: 'name', text: sign });
    else tokens.push({ kind: 'sign', text: SAME[sign] ?? sign });
  }
  return tokens;
}

const END: Token = { kind: 'end', text: '' };

/** Reads an expression from left to right, and works it out as it goes. */
class Expression {
  readonly #tokens: readonly Token[];
  readonly #untilMs = performance.now() + WITHIN_MS;
  #at = 0;
  /** The last factor was a percentage: of what it is added to. */
  #percentage = false;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  value(): Value {
    const value = this.#sum();
    if (this.#next.kind !== 'end') throw new Error(`"${this.#next.text}" cannot stand there.`);
    return value;
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  #takes(...signs: readonly string[]): string | undefined {
    const { kind, text } = this.#next;
    if (kind === 'number' || !signs.includes(text)) return undefined;
    this.#at++;
    return text;
  }

  #work(value: Value): Value {
    if (performance.now() > this.#untilMs) throw new Error('It takes too long.');
    return finite(value);
  }

  #sum(): Value {
    let value = this.#product();
    for (;;) {
      const sign = this.#takes('+', '-');
      if (sign === undefined) return value;
      const term = this.#product();
      const amount = this.#percentage ? multiply(value, term) : term;
      this.#percentage = false;
      value = this.#work(add(value, sign === '+' ? amount : negate(amount)));
    }
  }

  #product(): Value {
    let value = this.#signed();
    for (;;) {
      const sign = this.#takes('*', '/', '%', 'mod') ?? (this.#beginsFactor() ? '*' : undefined);
      if (sign === undefined) return value;
      const factor = this.#signed();
      this.#percentage = false;
      const work = { '*': multiply, '/': divide, '%': modulo, mod: modulo }[sign];
      if (work !== undefined) value = this.#work(work(value, factor));
    }
  }

  /** What follows is multiplied without a sign: `2 pi`, `3 (4 + 5)`; but not `2 3`. */
  #beginsFactor(): boolean {
    const before = this.#tokens[this.#at - 1];
    const { kind, text } = this.#next;
    if (kind === 'name') return true;
    return (kind === 'sign' && text === '(') || (kind === 'number' && before.text === ')');
  }

  #signed(): Value {
    this.#percentage = false;
    const sign = this.#takes('+', '-');
    if (sign === undefined) return this.#powered();
    const value = this.#signed();
    return sign === '-' ? negate(value) : value;
  }

  #powered(): Value {
    const base = this.#marked();
    if (this.#takes('^') === undefined) return base;
    const exponent = this.#signed();
    this.#percentage = false;
    return this.#work(power(base, exponent));
  }

  #marked(): Value {
    let value = this.#atom();
    for (;;) {
      if (this.#takes('!') !== undefined) value = this.#work(factorial(value));
      else if (this.#next.text === '%' && !this.#isModulo()) {
        this.#at++;
        value = divide(value, decimal('100'));
        this.#percentage = true;
        return value;
      } else return value;
    }
  }

  /** Between two numbers `%` is what is left of a division. */
  #isModulo(): boolean {
    const { kind, text } = this.#tokens[this.#at + 1] ?? END;
    return kind === 'number' || kind === 'name' || text === '(';
  }

  #atom(): Value {
    const { kind, text } = this.#next;
    this.#at++;
    if (kind === 'number') return decimal(text);
    if (kind === 'name') return this.#named(text);
    if (kind === 'sign' && text === '(') {
      const value = this.#sum();
      this.#close(')');
      this.#percentage = false;
      return value;
    }
    throw new Error(kind === 'end' ? 'It ends too early.' : `"${text}" cannot stand there.`);
  }

  #named(name: string): Value {
    if (this.#takes('(') !== undefined) {
      const values = this.#list(')');
      this.#percentage = false;
      return this.#work(call(name, values));
    }
    if (Object.hasOwn(CONSTANTS, name)) return CONSTANTS[name];
    throw new Error(`There is no "${name}" to calculate with.`);
  }

  /** Values between commas; a list in brackets among them is its values. */
  #list(close: string): Value[] {
    const values: Value[] = [];
    if (this.#takes(close) !== undefined) return values;
    do {
      if (this.#takes('[') !== undefined) values.push(...this.#list(']'));
      else values.push(this.#sum());
    } while (this.#takes(',') !== undefined);
    this.#close(close);
    return values;
  }

  #close(sign: string): void {
    if (this.#takes(sign) === undefined) throw new Error(`A "${sign}" is missing.`);
  }
}

import { has, WORD } from './code-points';
import type { Assertion, Term, Terms } from './terms';
import { TooComplex } from './too-complex';

/** Parts that may be left out, one after another, before the stack is too deep. */
const MAX_DEPTH = 500;

/** What stands before a place: nothing, or a character of `\w`, or another one. */
export type Before = 'start' | 'word' | 'other';

/** Whether a term takes the empty text at the end of a text. */
export function endsWith(term: Term, before: Before): boolean {
  switch (term.kind) {
    case 'nothing':
    case 'set':
      return false;
    case 'empty':
      return true;
    case 'sequence': {
      let rest: Term = term;
      for (; rest.kind === 'sequence'; rest = rest.rest) {
        if (!endsWith(rest.first, before)) return false;
      }
      return endsWith(rest, before);
    }
    case 'either':
      return term.terms.some((one) => endsWith(one, before));
    case 'all':
      return term.terms.every((one) => endsWith(one, before));
    case 'not':
      return !endsWith(term.term, before);
    case 'repeat':
      return term.min === 0 || endsWith(term.term, before);
    case 'look':
      return endsWith(term.term, before) !== term.negative;
    case 'assert':
      return holds(term.assertion, before, undefined);
  }
}

/** `after` is the next character, undefined at the end of the text. */
function holds(assertion: Assertion, before: Before, after: number | undefined): boolean {
  if (assertion === 'start') return before === 'start';
  if (assertion === 'end') return after === undefined;
  const isBoundary = (before === 'word') !== (after !== undefined && has(WORD, after));
  return isBoundary === (assertion === 'word boundary');
}

/**
 * What is left of a term once it has taken a character (Brzozowski's derivative). What comes after
 * a part is handed down to it, so that a lookahead inside sees all that follows.
 */
export class Derivative {
  readonly #terms: Terms;
  readonly #before: Before;
  readonly #character: number;
  readonly #known = new Map<Term, Term>();
  /** Repetitions being entered; meeting one again, nothing was taken in between. */
  readonly #entered = new Set<Term>();
  #depth = 0;

  constructor(terms: Terms, before: Before, character: number) {
    this.#terms = terms;
    this.#before = before;
    this.#character = character;
  }

  of(term: Term): Term {
    const known = this.#known.get(term);
    if (known !== undefined) return known;
    this.#terms.work++;
    if (++this.#depth > MAX_DEPTH) throw new TooComplex('leaves out too much in a row');
    const rest = this.#derive(term);
    this.#depth--;
    if (this.#entered.size === 0) this.#known.set(term, rest);
    return rest;
  }

  #derive(term: Term): Term {
    switch (term.kind) {
      case 'empty':
        return this.#terms.nothing;
      case 'sequence':
        return this.#then(term.first, term.rest);
      case 'either':
        return this.#terms.either(term.terms.map((one) => this.of(one)));
      case 'all':
        return this.#terms.all(term.terms.map((one) => this.of(one)));
      case 'not':
        return this.#terms.not(this.of(term.term));
      default:
        return this.#then(term, this.#terms.empty);
    }
  }

  /** The derivative of `term` and what comes after it. */
  #then(term: Term, after: Term): Term {
    const terms = this.#terms;
    terms.work++;
    switch (term.kind) {
      case 'nothing':
        return terms.nothing;
      case 'empty':
        return this.of(after);
      case 'set':
        return has(term.set, this.#character) ? after : terms.nothing;
      case 'sequence':
        return this.#then(term.first, terms.sequence(term.rest, after));
      case 'either':
        return terms.either(term.terms.map((one) => this.#then(one, after)));
      case 'look': {
        const ahead = this.of(terms.sequence(term.term, terms.anything));
        return terms.all([term.negative ? terms.not(ahead) : ahead, this.of(after)]);
      }
      case 'assert':
        return holds(term.assertion, this.#before, this.#character)
          ? this.of(after)
          : terms.nothing;
      case 'repeat':
        return this.#repeated(term, after);
      default:
        throw new Error(`A ${term.kind} stands inside a sequence.`);
    }
  }

  #repeated(term: Term & { kind: 'repeat' }, after: Term): Term {
    const terms = this.#terms;
    const { term: inner, min, max } = term;
    const skipped = min === 0 ? this.of(after) : terms.nothing;
    const again = terms.repeat(inner, Math.max(0, min - 1), max - 1);
    const next = terms.sequence(again, after);
    if (inner.plain) return terms.either([this.#then(inner, next), skipped]);
    const whole = terms.sequence(term, after);
    if (this.#entered.has(whole)) return skipped;
    this.#entered.add(whole);
    const taken = this.#then(inner, next);
    this.#entered.delete(whole);
    return terms.either([taken, skipped]);
  }
}

import { ANY, type CodePoints } from './code-points';

/** What holds at a place between two characters, without taking any. */
export type Assertion = 'start' | 'end' | 'word boundary' | 'no word boundary';

/**
 * A regular expression, extended by intersection, complement and lookahead. Terms of one `Terms` are
 * equal where they are the same object.
 */
export type Term = { readonly id: number; readonly nullable: boolean; readonly plain: boolean } & (
  | { readonly kind: 'nothing' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CodePoints }
  /** `first` is no sequence itself. */
  | { readonly kind: 'sequence'; readonly first: Term; readonly rest: Term }
  | { readonly kind: 'either' | 'all'; readonly terms: readonly Term[] }
  | { readonly kind: 'not'; readonly term: Term }
  | { readonly kind: 'repeat'; readonly term: Term; readonly min: number; readonly max: number }
  | { readonly kind: 'look'; readonly term: Term; readonly negative: boolean }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
);

type Bare = Term extends infer T
  ? T extends Term
    ? Omit<T, 'id' | 'nullable' | 'plain'>
    : never
  : never;

/**
 * Makes terms, each once. `nullable`: takes the empty text wherever it stands (for what is not
 * `plain`: wherever no assertion or lookahead says otherwise). `plain`: holds no assertion and no
 * lookahead.
 */
export class Terms {
  readonly #known = new Map<string, Term>();
  /** Steps taken, here and in what works on the terms: parts looked at. */
  work = 0;
  readonly nothing = this.#term('0', { kind: 'nothing' }, false, true);
  readonly empty = this.#term('1', { kind: 'empty' }, true, true);
  /** Every text. */
  readonly anything = this.repeat(this.set(ANY), 0, Infinity);

  set(set: CodePoints): Term {
    if (set.length === 0) return this.nothing;
    return this.#term(`[${set.join()}`, { kind: 'set', set }, false, true);
  }

  assert(assertion: Assertion): Term {
    return this.#term(`^${assertion}`, { kind: 'assert', assertion }, true, false);
  }

  look(term: Term, negative: boolean): Term {
    return this.#term(
      `${negative ? '!' : '='}${term.id}`,
      { kind: 'look', term, negative },
      true,
      false,
    );
  }

  sequence(...terms: readonly Term[]): Term {
    let sequence = this.empty;
    for (let i = terms.length - 1; i >= 0; i--) sequence = this.#before(terms[i], sequence);
    return sequence;
  }

  either(terms: readonly Term[]): Term {
    const members = this.#members('either', terms);
    members.delete(this.nothing);
    if (members.has(this.anything)) return this.anything;
    const [first = this.nothing] = members;
    if (members.size < 2) return first;
    const sorted = [...members].sort((a, b) => a.id - b.id);
    const nullable = sorted.some((term) => term.nullable);
    const plain = sorted.every((term) => term.plain);
    const key = `|${sorted.map(({ id }) => id).join()}`;
    return this.#term(key, { kind: 'either', terms: sorted }, nullable, plain);
  }

  all(terms: readonly Term[]): Term {
    const members = this.#members('all', terms);
    members.delete(this.anything);
    if (members.has(this.nothing)) return this.nothing;
    const [first = this.anything] = members;
    if (members.size < 2) return first;
    const sorted = [...members].sort((a, b) => a.id - b.id);
    const nullable = sorted.every((term) => term.nullable);
    const plain = sorted.every((term) => term.plain);
    const key = `&${sorted.map(({ id }) => id).join()}`;
    return this.#term(key, { kind: 'all', terms: sorted }, nullable, plain);
  }

  not(term: Term): Term {
    if (term.kind === 'not') return term.term;
    if (term === this.nothing) return this.anything;
    if (term === this.anything) return this.nothing;
    return this.#term(`~${term.id}`, { kind: 'not', term }, !term.nullable, term.plain);
  }

  /** `max` may be Infinity. */
  repeat(term: Term, min: number, max: number): Term {
    if (max === 0 || term === this.empty) return this.empty;
    if (term === this.nothing) return min === 0 ? this.empty : this.nothing;
    if (min === 1 && max === 1) return term;
    // What may be empty need not be there; and without that no repetition stands still.
    if (term.plain && term.nullable) return this.repeat(this.#filled(term), 0, max);
    if (
      term.kind === 'repeat' &&
      term.max === Infinity &&
      term.min <= 1 &&
      max === Infinity &&
      min <= 1
    ) {
      return this.repeat(term.term, Math.min(min, term.min), Infinity);
    }
    const bare = { kind: 'repeat', term, min, max } as const;
    return this.#term(`{${term.id},${min},${max}`, bare, min === 0 || term.nullable, term.plain);
  }

  /** A plain term without the empty text. */
  #filled(term: Term): Term {
    if (!term.nullable) return term;
    switch (term.kind) {
      case 'either':
        return this.either(term.terms.map((one) => this.#filled(one)));
      case 'repeat':
        return this.repeat(this.#filled(term.term), 1, term.max);
      case 'sequence': {
        const { first, rest } = term;
        return this.either([this.sequence(this.#filled(first), rest), this.#filled(rest)]);
      }
      case 'empty':
        return this.nothing;
      default:
        throw new Error(`A ${term.kind} stands inside a repetition.`);
    }
  }

  #before(term: Term, rest: Term): Term {
    if (term === this.nothing || rest === this.nothing) return this.nothing;
    if (term === this.empty) return rest;
    if (rest === this.empty) return term;
    if (term === this.anything && rest === this.anything) return term;
    if (term.kind === 'sequence') {
      const factors: Term[] = [];
      let end: Term = term;
      for (; end.kind === 'sequence'; end = end.rest) factors.push(end.first);
      factors.push(end, rest);
      this.work += factors.length;
      return this.sequence(...factors);
    }
    const key = `.${term.id},${rest.id}`;
    const bare = { kind: 'sequence', first: term, rest } as const;
    return this.#term(key, bare, term.nullable && rest.nullable, term.plain && rest.plain);
  }

  #members(kind: 'either' | 'all', terms: readonly Term[]): Set<Term> {
    const members = new Set<Term>();
    for (const term of terms) {
      if (term.kind !== kind) {
        members.add(term);
        this.work++;
        continue;
      }
      for (const one of term.terms) members.add(one);
      this.work += term.terms.length;
    }
    return members;
  }

  #term(key: string, bare: Bare, nullable: boolean, plain: boolean): Term {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const term: Term = { id: this.#known.size, nullable, plain, ...bare };
    this.#known.set(key, term);
    return term;
  }
}

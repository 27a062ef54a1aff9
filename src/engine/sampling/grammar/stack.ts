import { END, type Place } from './place';

/** Where a construct that is under way was begun from: all the ways at once. */
export interface Stack {
  readonly id: number;
  readonly returns: readonly Return[];
}

/** Where it goes on once the construct is over, and what is below. */
export interface Return {
  readonly place: Place;
  readonly below: Stack;
}

const NOWHERE: Stack = { id: 0, returns: [] };

/** The return of the grammar's own construct: the text is over. */
export const ACCEPT: Return = { place: END, below: NOWHERE };

/** Makes stacks, equal ones once. */
export class Stacks {
  /** Below the grammar's own construct. */
  readonly bottom: Stack;
  readonly #known = new Map<string, Stack>();
  #count = 1;

  constructor() {
    this.bottom = this.of([ACCEPT]);
  }

  of(returns: readonly Return[]): Stack {
    const sorted =
      returns.length < 2
        ? returns
        : [...returns].sort((a, b) => a.place.id - b.place.id || a.below.id - b.below.id);
    let key = '';
    for (const { place, below } of sorted) key += `${place.id},${below.id};`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const stack = { id: this.#count++, returns: sorted };
    this.#known.set(key, stack);
    return stack;
  }

  /** The ways of both. */
  both(a: Stack, b: Stack): Stack {
    if (a === b) return a;
    const returns = new Map<string, Return>();
    for (const one of [...a.returns, ...b.returns])
      returns.set(`${one.place.id},${one.below.id}`, one);
    return this.of([...returns.values()]);
  }

  clear(): void {
    this.#known.clear();
  }
}

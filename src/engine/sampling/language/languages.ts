/** Regular languages: of patterns, and of languages put together. */
import type { Pace } from '../pace';
import { Alphabet } from './alphabet';
import { ANY, type CodePoints, has, WORD } from './code-points';
import { type Before, Derivative, endsWith } from './derivative';
import { DEAD, Dfa } from './dfa';
import { type PatternOptions, patternTerm } from './pattern';
import { type Term, Terms } from './terms';
import { TooComplex } from './too-complex';
import { unicodeSets } from './unicode-sets';

/** Entries of an automaton's table. */
const MAX_TABLE = 2_000_000;

/** Every text. */
export const EVERY_TEXT = new Dfa({ alphabet: Alphabet.of([]), next: [0], accepting: [1] });

/**
 * The texts in which a pattern is found (JSON Schema does not anchor). Throws BadPattern or
 * TooComplex.
 */
export async function patternLanguage(
  pattern: string,
  pace: Pace,
  options: PatternOptions = {},
): Promise<Dfa> {
  const terms = new Terms();
  const sets =
    pattern.includes('\\p') || pattern.includes('\\P')
      ? await unicodeSets(pattern, pace)
      : undefined;
  const term = patternTerm(terms, pattern, { unicodeSets: sets, ...options });
  let language = EVERY_TEXT;
  for (const { found, isForbidden } of conditionsOf(terms, term)) {
    const { anything } = terms;
    const some = await automaton(terms, terms.sequence(anything, found, anything), pace);
    language = await intersection(
      language,
      isForbidden ? await complementOf(some, pace) : some,
      pace,
    );
  }
  return language;
}

/** What has to be found in a text, or must not. */
interface Condition {
  found: Term;
  isForbidden: boolean;
}

/**
 * A pattern as several, all of which hold: lookaheads at the start of a text (`^(?=…)`) are conditions of
 * their own. Put together as automata they take a tenth of the work.
 */
function conditionsOf(terms: Terms, pattern: Term): Condition[] {
  const start = terms.assert('start');
  if (pattern.kind !== 'sequence' || pattern.first !== start) {
    return [{ found: pattern, isForbidden: false }];
  }
  const conditions: Condition[] = [];
  let rest = pattern.rest;
  for (; rest.kind === 'sequence' && rest.first.kind === 'look'; rest = rest.rest) {
    const { term, negative } = rest.first;
    conditions.push({ found: terms.sequence(start, term), isForbidden: negative });
  }
  return [...conditions, { found: terms.sequence(start, rest), isForbidden: false }];
}

interface State {
  term: Term;
  before: Before;
}

async function automaton(terms: Terms, term: Term, pace: Pace): Promise<Dfa> {
  const uses = contents(term);
  const alphabet = Alphabet.of(uses.words ? [...uses.sets, WORD] : uses.sets);
  const characters = alphabet.representatives();
  const beforeOf = (code: number): Before => {
    if (uses.words) return has(WORD, code) ? 'word' : 'other';
    return uses.starts ? 'other' : 'start';
  };
  const states: State[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (state: State): number => {
    const key = `${state.term.id}${state.before}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, states.length);
    states.push(state);
    return states.length - 1;
  };
  numberOf({ term, before: 'start' });
  // One for each character and what stands before it: what states have in common is derived once.
  const derivatives = new Map<string, Derivative>();
  const derivativeBy = (before: Before, character: number): Derivative => {
    const key = `${character}${before}`;
    const known = derivatives.get(key) ?? new Derivative(terms, before, character);
    derivatives.set(key, known);
    return known;
  };
  const next: number[] = [];
  const accepting: number[] = [];
  for (let i = 0; i < states.length; i++) {
    const state = states[i];
    accepting.push(endsWith(state.term, state.before) ? 1 : 0);
    for (const character of characters) {
      if (pace.due) await pace.rest();
      const before = terms.work;
      const rest = derivativeBy(state.before, character).of(state.term);
      pace.spend(terms.work - before + 1);
      next.push(
        rest === terms.nothing ? DEAD : numberOf({ term: rest, before: beforeOf(character) }),
      );
    }
    if (next.length > MAX_TABLE) throw new TooComplex('has too many states');
    if (pace.due) await pace.rest();
  }
  return Dfa.of({ alphabet, next, accepting }, pace);
}

/** The sets in a term, and whether places in it matter. */
function contents(term: Term): { sets: CodePoints[]; starts: boolean; words: boolean } {
  const sets = new Set<CodePoints>([ANY]);
  const seen = new Set<Term>();
  const open = [term];
  let starts = false;
  let words = false;
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    if (one.kind === 'set') sets.add(one.set);
    else if (one.kind === 'assert' && one.assertion === 'start') starts = true;
    else if (one.kind === 'assert' && one.assertion !== 'end') words = true;
    else if (one.kind === 'sequence') open.push(one.first, one.rest);
    else if ('terms' in one) open.push(...one.terms);
    else if ('term' in one) open.push(one.term);
  }
  return { sets: [...sets], starts, words };
}

/** What is in both. */
export async function intersection(a: Dfa, b: Dfa, pace: Pace): Promise<Dfa> {
  if (a === b || b.isEverything || a.isEmpty) return a;
  if (a.isEverything || b.isEmpty) return b;
  const { alphabet, own, theirs } = a.alphabet.refinedBy(b.alphabet);
  const pairs: [number, number][] = [];
  const numbers = new Map<number, number>();
  const numberOf = (x: number, y: number): number => {
    if (x === DEAD || y === DEAD) return DEAD;
    const key = x * b.size + y;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, pairs.length);
    pairs.push([x, y]);
    return pairs.length - 1;
  };
  numberOf(0, 0);
  const next: number[] = [];
  const accepting: number[] = [];
  for (let i = 0; i < pairs.length; i++) {
    const [x, y] = pairs[i];
    accepting.push(a.accepting[x] & b.accepting[y]);
    for (let c = 0; c < alphabet.size; c++) {
      next.push(
        numberOf(a.next[x * a.alphabet.size + own[c]], b.next[y * b.alphabet.size + theirs[c]]),
      );
    }
    pace.spend(alphabet.size / 4);
    if (next.length > MAX_TABLE) throw new TooComplex('has too many states');
    if (pace.due) await pace.rest();
  }
  return Dfa.of({ alphabet, next, accepting }, pace);
}

/** What is not in it. */
export async function complementOf(
  { alphabet, next, accepting, size, isEmpty }: Dfa,
  pace: Pace,
): Promise<Dfa> {
  if (isEmpty) return EVERY_TEXT;
  // One more state: that of texts which the language has left behind.
  const far = size;
  const ways = new Int32Array(next.length + alphabet.size).fill(far);
  next.forEach((state, i) => {
    if (state !== DEAD) ways[i] = state;
  });
  const others = new Uint8Array(size + 1).fill(1);
  accepting.forEach((accepts, state) => {
    others[state] = 1 - accepts;
  });
  return Dfa.of({ alphabet, next: ways, accepting: others }, pace);
}

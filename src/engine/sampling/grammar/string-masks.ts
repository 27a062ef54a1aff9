import { DEAD, type Dfa } from '../language/dfa';
import { EVERY_TEXT } from '../language/languages';
import { REST_EVERY, type Sliced } from '../sliced';
import { KINDS } from './character-kinds';
import { after, StringPlace, type StringState } from './json/string-place';
import { keep, recall } from './keep';
import { END, type Place, Places } from './place';
import type { TokenTrie } from './token-trie';
import type { Vocabulary } from './vocabulary';

/** Characters that a run is looked ahead for. */
const MAX_RUN = 24;

/** The tokens that may come within strings and do not end them, by where in a language they stand. */
export class StringMasks {
  readonly #vocabulary: Vocabulary;
  readonly #most: number;
  /** The last used last. */
  readonly #known = new Map<string, Int32Array>();
  readonly #walks = new WeakMap<Dfa, PlainWalk>();
  readonly #places = new Places();

  /** Keeps `most` masks. */
  constructor(vocabulary: Vocabulary, most: number) {
    this.#vocabulary = vocabulary;
    this.#most = most;
  }

  /** Masks that are kept. */
  get size(): number {
    return this.#known.size;
  }

  /** Not to be changed. */
  *of(string: StringState): Sliced<Int32Array> {
    const { except, max, dfa } = string;
    const within = yield* this.#within({ ...string, except: undefined });
    // Where there are always others, what is excepted matters at the end only.
    const isTight = except !== undefined && !(max === Infinity && dfa.isEndless);
    return isTight ? yield* this.#narrowed(within, string) : within;
  }

  *#within(string: StringState): Sliced<Int32Array> {
    const { dfa, state } = string;
    const { longest } = this.#vocabulary;
    // Bounds that no token reaches make no difference.
    if (dfa.isEverything)
      return yield* this.#anything(string.max > longest ? Infinity : string.max);
    const isFar = string.min === 0 && string.max > longest + dfa.furthest;
    const max = isFar ? Infinity : string.max;
    const min = max === Infinity && dfa.isEndless ? 0 : string.min;
    const walk = this.#walks.get(dfa) ?? new PlainWalk(this.#vocabulary, dfa);
    this.#walks.set(dfa, walk);
    const key = `${walk.id},${state},${min},${max}`;
    const known = recall(this.#known, key);
    if (known !== undefined) return known;
    const mask = yield* walk.from(state, min, max);
    yield* this.#visitSpecial({ dfa, state, min, max, except: undefined }, (node) =>
      this.#vocabulary.special.allow(node, mask),
    );
    return keep(this.#known, key, mask, this.#most);
  }

  /** Within a string that may hold anything, of at most so many code points: the same for all. */
  *#anything(max: number): Sliced<Int32Array> {
    const { withinStrings, longest, special } = this.#vocabulary;
    const length = Math.min(max, longest + 1);
    const known = withinStrings.get(length);
    if (known !== undefined) return known;
    const mask = this.#vocabulary.plainUpTo(length).slice();
    const string = { dfa: EVERY_TEXT, state: 0, min: 0, max, except: undefined };
    yield* this.#visitSpecial(string, (node) => special.allow(node, mask));
    withinStrings.set(length, mask);
    return mask;
  }

  /** Visits the nodes of the tokens with escapes or parts of characters that may come. */
  *#visitSpecial(string: StringState, visit: (node: number) => void): Sliced<void> {
    yield* this.#vocabulary.special.descend<Place>(
      StringPlace.at(this.#places, string, END),
      (at, unit) => at.step(unit)[0],
      visit,
    );
  }

  /** The mask without the tokens after which nothing is left but what is excepted. */
  *#narrowed(known: Int32Array, start: StringState): Sliced<Int32Array> {
    const { plain, special } = this.#vocabulary;
    const mask = known.slice();
    const forbid = (trie: TokenTrie, node: number) => {
      for (const token of trie.tokensAt(node)) mask[token >> 5] &= ~(1 << (token & 31));
    };
    for (let node = 0; node < special.size; node++) {
      if (node % REST_EVERY === 0) yield;
      forbid(special, node);
    }
    yield* this.#visitSpecial(start, (node) => special.allow(node, mask));
    const open = [{ state: start, node: -1 }];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      for (const unit of one.state.except?.children.keys() ?? []) {
        const node = plain.child(one.node, unit);
        if (node === undefined) continue;
        const state = after(one.state, unit);
        if (state !== undefined) open.push({ state, node });
        else for (let below = node; below < plain.ends[node]; below++) forbid(plain, below);
      }
      yield;
    }
    return mask;
  }
}

/** Walks the plain tokens through one language. */
class PlainWalk {
  static #count = 0;
  readonly id = PlainWalk.#count++;
  readonly #vocabulary: Vocabulary;
  readonly #dfa: Dfa;
  /** By number of a code point: its class. */
  readonly #classes: Uint16Array;
  /** By kind of characters: the classes that it has members of. */
  readonly #kinds: readonly (readonly number[])[];
  /** By state: whether whatever comes can be completed. */
  readonly #isOpen: Uint8Array;
  /** By state: see `#run`. */
  readonly #runs: (Int32Array | undefined)[] = [];

  constructor(vocabulary: Vocabulary, dfa: Dfa) {
    this.#vocabulary = vocabulary;
    this.#dfa = dfa;
    this.#classes = dfa.alphabet.classesOf(vocabulary.plain.distinct);
    this.#kinds = KINDS.map((ranges) => [
      ...new Set(ranges.flatMap(([from, to]) => [...dfa.alphabet.classesWithin(from, to)])),
    ]);
    this.#isOpen = openStates(dfa);
  }

  /** The tokens that lead from a state to a text of `min` to `max` code points. */
  *from(start: number, min: number, max: number): Sliced<Int32Array> {
    const { plain, branches, maskLength, longest } = this.#vocabulary;
    const isBounded = max < Infinity || min > 0;
    if (!isBounded && this.#isOpen[start] === 1) return this.#vocabulary.plainUpTo(longest).slice();
    const mask = new Int32Array(maskLength);
    const dfa = this.#dfa;
    const classes = this.#classes;
    const { ends, unitNumbers, size } = plain;
    const { kinds, heights } = branches;
    const { next } = dfa;
    const width = dfa.alphabet.size;
    const way: number[] = [start];
    const until: number[] = [size];
    let depth = 0;
    let steps = 0;
    for (let node = 0; node < size; ) {
      if (++steps % REST_EVERY === 0) yield;
      while (node >= until[depth]) depth--;
      const state = next[way[depth] * width + classes[unitNumbers[node]]];
      if (state === DEAD) {
        node = ends[node];
        continue;
      }
      if (isBounded) {
        if (!dfa.completes(state, Math.max(0, min - depth - 1), max - depth - 1)) {
          node = ends[node];
          continue;
        }
      } else if (
        this.#isOpen[state] === 1 ||
        (heights[node] <= MAX_RUN && (kinds[node] & ~this.#run(state)[heights[node]]) === 0)
      ) {
        // All that is below may come.
        plain.allowAll(node, mask);
        node = ends[node];
        continue;
      }
      plain.allow(node, mask);
      depth++;
      way[depth] = state;
      until[depth] = ends[node];
      node++;
    }
    return mask;
  }

  /** By number of characters: the kinds of which so many, in any order, can be completed from a state. */
  #run(state: number): Int32Array {
    const known = this.#runs[state];
    if (known !== undefined) return known;
    const run = new Int32Array(MAX_RUN + 1);
    run[0] = -1;
    let at = state;
    for (let length = 1; length <= MAX_RUN && run[length - 1] !== 0; length++) {
      const [kinds, after] = this.#commonStep(at);
      run[length] = run[length - 1] & kinds;
      at = after;
    }
    this.#runs[state] = run;
    return run;
  }

  /** The kinds that all lead from a state to one and the same, and that one. */
  #commonStep(state: number): [kinds: number, after: number] {
    const { next, alphabet } = this.#dfa;
    const base = state * alphabet.size;
    const votes = new Map<number, number>();
    this.#kinds.forEach((classes, kind) => {
      const after = next[base + classes[0]];
      if (after === DEAD || classes.some((one) => next[base + one] !== after)) return;
      votes.set(after, (votes.get(after) ?? 0) | (1 << kind));
    });
    let best: [number, number] = [0, state];
    for (const [after, kinds] of votes)
      if (bitCount(kinds) > bitCount(best[0])) best = [kinds, after];
    return best;
  }
}

/** Which states lead to none from which a character cannot come. */
function openStates({ next, size, alphabet }: Dfa): Uint8Array {
  const isOpen = new Uint8Array(size).fill(1);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < next.length; i++) {
      const state = Math.floor(i / alphabet.size);
      if (isOpen[state] === 0 || (next[i] !== DEAD && isOpen[next[i]] === 1)) continue;
      isOpen[state] = 0;
      changed = true;
    }
  }
  return isOpen;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

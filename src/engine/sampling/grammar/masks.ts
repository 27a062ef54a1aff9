import { DEAD, type Dfa } from '../language/dfa';
import { after, StringPlace, type StringState } from './json/string-place';
import { UniqueItemPlace } from './json/unique-item-place';
import type { Configuration, Machine, Thread } from './machine';
import type { TokenTrie } from './token-trie';
import type { Vocabulary } from './vocabulary';

/** Memory for masks that are kept, of one grammar: bytes. */
const MAX_BYTES = 8 * 2 ** 20;

/** What the tokens of a vocabulary lead to from a grammar's configurations. */
export class Masks {
  readonly #vocabulary: Vocabulary;
  readonly #machine: Machine;
  /** The last used last. */
  readonly #known = new Map<Configuration, Int32Array>();
  /** Of plain tokens, by place in a language. */
  readonly #plain = new Map<string, Int32Array>();
  readonly #classes = new WeakMap<Dfa, Uint16Array>();
  readonly #most: number;

  constructor(vocabulary: Vocabulary, machine: Machine) {
    this.#vocabulary = vocabulary;
    this.#machine = machine;
    this.#most = Math.max(16, Math.floor(MAX_BYTES / 2 / (4 * vocabulary.maskLength)));
  }

  /**
   * The tokens that may come: bit i%32 of word i/32 is set where token i may. Where the text may end
   * the tokens that end an answer may, too. Not to be changed.
   */
  of(configuration: Configuration): Int32Array {
    return keep(this.#known, configuration, this.#most, () => this.#find(configuration));
  }

  #find(configuration: Configuration): Int32Array {
    const { all, special, maskLength, stopTokens } = this.#vocabulary;
    const mask = new Int32Array(maskLength);
    const strings: Thread[] = [];
    const others: Thread[] = [];
    for (const thread of configuration.threads) {
      const states = stringStates(thread);
      if (states === undefined) {
        others.push(thread);
        continue;
      }
      strings.push(thread);
      for (const state of states) this.#addPlain(state, mask);
    }
    const machine = this.#machine;
    if (strings.length > 0) this.#walk(special, machine.of(strings, false), mask);
    if (others.length > 0) this.#walk(all, machine.of(others, false), mask);
    if (configuration.accepts) {
      for (const token of stopTokens) mask[token >> 5] |= 1 << (token & 31);
    }
    return mask;
  }

  #walk(trie: TokenTrie, start: Configuration, mask: Int32Array): void {
    const { units, ends, size } = trie;
    const machine = this.#machine;
    const way: Configuration[] = [start];
    const until: number[] = [size];
    let depth = 0;
    for (let node = 0; node < size; ) {
      while (node >= until[depth]) depth--;
      const next = machine.step(way[depth], units[node]);
      if (next === null) {
        node = ends[node];
        continue;
      }
      trie.allow(node, mask);
      depth++;
      way[depth] = next;
      until[depth] = ends[node];
      node++;
    }
  }

  /** Adds the plain tokens that may come within a string. */
  #addPlain(state: StringState, mask: Int32Array): void {
    const known = this.#plainOf(state);
    const isTight = state.except !== undefined && !(state.max === Infinity && state.dfa.isEndless);
    const plain = isTight ? this.#narrowed(known, state) : known;
    for (let i = 0; i < mask.length; i++) mask[i] |= plain[i];
  }

  #plainOf({ dfa, state, min, max }: StringState): Int32Array {
    const { longest } = this.#vocabulary;
    if (dfa.isEverything) return this.#vocabulary.plainUpTo(max);
    // Bounds that no token reaches make no difference.
    const isFar = min === 0 && max > longest + dfa.furthest;
    const most = isFar ? Infinity : max;
    const least = most === Infinity && dfa.isEndless ? 0 : min;
    const key = `${numberOf(dfa)},${state},${least},${most}`;
    return keep(this.#plain, key, this.#most, () => this.#walkPlain(dfa, state, least, most));
  }

  #walkPlain(dfa: Dfa, start: number, min: number, max: number): Int32Array {
    const { plain, maskLength } = this.#vocabulary;
    const mask = new Int32Array(maskLength);
    const classes = this.#classesOf(dfa);
    const { unitNumbers } = plain;
    const { next } = dfa;
    const { size } = dfa.alphabet;
    const isBounded = max < Infinity || min > 0;
    const way: number[] = [start];
    const until: number[] = [plain.size];
    let depth = 0;
    for (let node = 0; node < plain.size; ) {
      while (node >= until[depth]) depth--;
      const state = next[way[depth] * size + classes[unitNumbers[node]]];
      const isDead =
        state === DEAD ||
        (isBounded && !dfa.completes(state, Math.max(0, min - depth - 1), max - depth - 1));
      if (isDead) {
        node = plain.ends[node];
        continue;
      }
      plain.allow(node, mask);
      depth++;
      way[depth] = state;
      until[depth] = plain.ends[node];
      node++;
    }
    return mask;
  }

  /** The mask without the tokens after which nothing is left but what is excepted. */
  #narrowed(known: Int32Array, start: StringState): Int32Array {
    const { plain } = this.#vocabulary;
    const mask = known.slice();
    const open = [{ state: start, node: -1 }];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      for (const unit of one.state.except?.children.keys() ?? []) {
        const node = plain.child(one.node, unit);
        if (node === undefined) continue;
        const state = after(one.state, unit);
        if (state !== undefined) {
          open.push({ state, node });
          continue;
        }
        for (let below = node; below < plain.ends[node]; below++) {
          for (const token of plain.tokensAt(below)) mask[token >> 5] &= ~(1 << (token & 31));
        }
      }
    }
    return mask;
  }

  /** By the number of a plain token's code point: its class in the language's alphabet. */
  #classesOf(dfa: Dfa): Uint16Array {
    const known = this.#classes.get(dfa) ?? Uint16Array.from(this.#vocabulary.plain.distinct, (code) => dfa.alphabet.classOf(code));
    this.#classes.set(dfa, known);
    return known;
  }
}

/** Where a thread stands in strings, between two characters; undefined where it does not. */
function stringStates({ place }: Thread): StringState[] | undefined {
  if (place instanceof StringPlace) return place.partial === '' ? [place.string] : undefined;
  if (!(place instanceof UniqueItemPlace)) return undefined;
  const inner = place.inner.threads.map(stringStates);
  if (inner.length === 0 || inner.includes(undefined)) return undefined;
  return inner.flatMap((states) => states ?? []);
}

/** What is known by a key, or found now; only the last used are kept. */
function keep<K>(known: Map<K, Int32Array>, key: K, most: number, find: () => Int32Array): Int32Array {
  const mask = known.get(key) ?? find();
  known.delete(key);
  known.set(key, mask);
  if (known.size > most) {
    const [[oldest]] = known;
    known.delete(oldest);
  }
  return mask;
}

const numbers = new WeakMap<Dfa, number>();
let count = 0;

function numberOf(dfa: Dfa): number {
  const known = numbers.get(dfa) ?? count++;
  numbers.set(dfa, known);
  return known;
}

import { StringPlace, type StringState } from './json/string-place';
import { UniqueItemPlace } from './json/unique-item-place';
import { keep } from './keep';
import type { Configuration, Machine, Thread } from './machine';
import { StringMasks } from './string-masks';
import type { TokenTrie } from './token-trie';
import type { Vocabulary } from './vocabulary';

/** Memory for the masks of one grammar: bytes. */
const MAX_BYTES = 4 * 2 ** 20;

/** Which tokens of a vocabulary may come at a grammar's configurations. */
export class Masks {
  readonly #vocabulary: Vocabulary;
  readonly #machine: Machine;
  /** The last used last. */
  readonly #known = new Map<Configuration, Int32Array>();
  readonly #strings: StringMasks;
  readonly #most: number;

  constructor(vocabulary: Vocabulary, machine: Machine) {
    this.#vocabulary = vocabulary;
    this.#machine = machine;
    this.#most = Math.max(16, Math.floor(MAX_BYTES / 2 / (4 * vocabulary.maskLength)));
    this.#strings = new StringMasks(vocabulary, this.#most);
  }

  /** Memory that they take. */
  get bytes(): number {
    return 4 * this.#vocabulary.maskLength * (this.#known.size + this.#strings.size);
  }

  /**
   * The tokens that may come: bit i%32 of word i/32 is set where token i may. Where the text may end
   * the tokens that end an answer may, too. Not to be changed.
   */
  of(configuration: Configuration): Int32Array {
    return keep(this.#known, configuration, this.#most, () => this.#find(configuration));
  }

  #find(configuration: Configuration): Int32Array {
    const { all, quoting, maskLength, stopTokens } = this.#vocabulary;
    const mask = new Int32Array(maskLength);
    const strings: Thread[] = [];
    const others: Thread[] = [];
    for (const thread of configuration.threads) {
      const states = stringStates(thread);
      (states === undefined ? others : strings).push(thread);
      for (const state of states ?? []) {
        const within = this.#strings.of(state);
        for (let i = 0; i < mask.length; i++) mask[i] |= within[i];
      }
    }
    const machine = this.#machine;
    if (strings.length > 0) this.#walk(quoting, machine.of(strings, false), mask);
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
}

/** Where a thread stands in strings, between two characters; undefined where it does not. */
function stringStates({ place }: Thread): StringState[] | undefined {
  if (place instanceof StringPlace) return place.partial === '' ? [place.string] : undefined;
  if (!(place instanceof UniqueItemPlace)) return undefined;
  const inner = place.inner.threads.map(stringStates);
  if (inner.length === 0 || inner.includes(undefined)) return undefined;
  return inner.flatMap((states) => states ?? []);
}

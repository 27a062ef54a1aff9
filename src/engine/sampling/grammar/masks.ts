import { atOnce, type Sliced } from '../sliced';
import { StringPlace, type StringState } from './json/string-place';
import { UniqueItemPlace } from './json/unique-item-place';
import { keep, recall } from './keep';
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
    return atOnce(this.making(configuration));
  }

  /** It is there, and `of` takes no time. */
  has(configuration: Configuration): boolean {
    return this.#known.has(configuration);
  }

  /** As `of`, with rests: a mask may take a twentieth of a second. */
  *making(configuration: Configuration): Sliced<Int32Array> {
    const known = recall(this.#known, configuration);
    if (known !== undefined) return known;
    const mask = yield* this.#find(configuration);
    return keep(this.#known, configuration, mask, this.#most);
  }

  *#find(configuration: Configuration): Sliced<Int32Array> {
    const { all, quoting, maskLength, stopTokens } = this.#vocabulary;
    const mask = new Int32Array(maskLength);
    const strings: Thread[] = [];
    const others: Thread[] = [];
    for (const thread of configuration.threads) {
      const parted = part(thread);
      if (parted.strings !== undefined) strings.push(parted.strings);
      if (parted.others !== undefined) others.push(parted.others);
      for (const state of parted.states) {
        const within = yield* this.#strings.of(state);
        for (let i = 0; i < mask.length; i++) mask[i] |= within[i];
      }
    }
    const machine = this.#machine;
    const allow = (trie: TokenTrie, threads: readonly Thread[]) =>
      trie.descend(
        machine.of(threads, false),
        (at, unit) => machine.step(at, unit),
        (node) => trie.allow(node, mask),
      );
    if (strings.length > 0) yield* allow(quoting, strings);
    if (others.length > 0) yield* allow(all, others);
    if (configuration.accepts) {
      for (const token of stopTokens) mask[token >> 5] |= 1 << (token & 31);
    }
    return mask;
  }
}

/** A thread as far as it stands in strings, between two characters, and as far as it does not. */
interface Parted {
  strings?: Thread;
  others?: Thread;
  /** Where it stands in them. */
  states: readonly StringState[];
}

function part(thread: Thread): Parted {
  const { place, stack } = thread;
  if (place instanceof StringPlace && place.partial === '') {
    return { strings: thread, states: [place.string] };
  }
  if (!(place instanceof UniqueItemPlace)) return { others: thread, states: [] };
  const inner = place.inner.threads.map(part);
  const strings = inner.flatMap((one) => one.strings ?? []);
  const others = inner.flatMap((one) => one.others ?? []);
  const states = inner.flatMap((one) => one.states);
  if (strings.length === 0) return { others: thread, states };
  if (others.length === 0) return { strings: thread, states };
  return {
    strings: { place: place.only(strings), stack },
    others: { place: place.only(others), stack },
    states,
  };
}

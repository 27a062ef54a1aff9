import { type GrammarSpec, TempoError, type TokenIds } from '../../scheduler';
import { unlessAborted } from '../within';
import { compileGrammar } from './grammar/grammar';
import type { Machine } from './grammar/machine';
import { Masks } from './grammar/masks';
import { type GrammarMatcher, MachineMatcher } from './grammar/matcher';
import { type GrammarVocabulary, Vocabulary } from './grammar/vocabulary';
import { Pace } from './pace';
import { inSlices } from './sliced';

export type { GrammarMatcher } from './grammar/matcher';
export type { GrammarVocabulary } from './grammar/vocabulary';

/** Compiled grammars that are kept for requests to come, and the memory of their masks: bytes. */
const MAX_GRAMMARS = 64;
const MAX_MASK_BYTES = 64 * 2 ** 20;

interface Compiled {
  machine: Machine;
  masks: Masks;
}

interface Entry {
  compiled: Promise<Compiled>;
  /** Set once it is done. */
  masks: Masks | undefined;
  /** Whoever waits for it; where nobody does any more, it is given up. */
  waiting: number;
  controller: AbortController;
}

/** Where an engine has its grammars from: this thread, or another one. */
export interface GrammarSource {
  /**
   * Makes sure that a grammar compiles, and that its first mask is there when it is asked for. Throws
   * invalid_schema, saying what is wrong with it, and the signal's reason where the caller has gone.
   */
  check(spec: GrammarSpec, signal?: AbortSignal): Promise<void>;
  /**
   * A matcher that stands after `generated`: what the answer holds already when its sequence was
   * dropped and comes back. Throws invalid_schema where the grammar does not compile, engine_failed
   * where `generated` does not follow it.
   */
  matcher(spec: GrammarSpec, generated?: TokenIds): Promise<GrammarMatcher>;
}

/** Compiles grammars for one model's vocabulary, once each, and makes matchers of them. */
export class Grammars implements GrammarSource {
  readonly #vocabulary: Vocabulary;
  /** By the grammar, as JSON; the last used last. */
  readonly #entries = new Map<string, Entry>();

  private constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** Reads the vocabulary, in slices. */
  static async create(vocabulary: GrammarVocabulary): Promise<Grammars> {
    return new Grammars(await Vocabulary.of(vocabulary));
  }

  async check(spec: GrammarSpec, signal?: AbortSignal): Promise<void> {
    const { machine, masks } = await this.#compiled(spec, signal);
    await inSlices(masks.making(machine.start), new Pace(Infinity, signal));
  }

  async matcher(spec: GrammarSpec, generated: TokenIds = []): Promise<GrammarMatcher> {
    const { machine, masks } = await this.#compiled(spec);
    const matcher = new MachineMatcher(this.#vocabulary, machine, masks);
    const pace = new Pace(Infinity);
    for (let i = 0; i < generated.length; i++) {
      if (pace.due) await pace.rest();
      if (matcher.accept(generated[i])) continue;
      throw new TempoError(
        'engine_failed',
        `Token ${i} of the answer so far (${generated[i]}) does not follow its grammar.`,
      );
    }
    return matcher;
  }

  async #compiled(spec: GrammarSpec, signal?: AbortSignal): Promise<Compiled> {
    signal?.throwIfAborted();
    const key = JSON.stringify(spec);
    const entry = this.#entries.get(key) ?? this.#compile(spec, key);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#evict();
    entry.waiting++;
    try {
      return await (signal ? unlessAborted(entry.compiled, signal) : entry.compiled);
    } finally {
      entry.waiting--;
      const isLeft = entry.waiting === 0 && entry.masks === undefined;
      if (isLeft && this.#entries.get(key) === entry) {
        this.#entries.delete(key);
        entry.controller.abort();
      }
    }
  }

  #compile(spec: GrammarSpec, key: string): Entry {
    const controller = new AbortController();
    const compiled = compileGrammar(spec, controller.signal).then((machine) => {
      const masks = new Masks(this.#vocabulary, machine);
      entry.masks = masks;
      return { machine, masks };
    });
    const entry: Entry = { compiled, masks: undefined, waiting: 0, controller };
    compiled.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry;
  }

  /** Forgets the grammars that were used longest ago; matchers made of them live on. */
  #evict(): void {
    let bytes = 0;
    for (const { masks } of this.#entries.values()) bytes += masks?.bytes ?? 0;
    for (const [key, { masks, waiting }] of this.#entries) {
      if (this.#entries.size <= MAX_GRAMMARS && bytes <= MAX_MASK_BYTES) return;
      if (waiting > 0 || masks === undefined) continue;
      this.#entries.delete(key);
      bytes -= masks.bytes;
    }
  }
}

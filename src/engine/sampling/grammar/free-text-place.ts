import { Place, type Places } from './place';

/** Words that end free text, and where each leads: the same for all places of one text. */
export interface Watch {
  readonly id: string;
  /** In bytes; none is part of another. */
  readonly words: readonly Uint8Array[];
  /** Where it goes on after each of the words. */
  readonly after: readonly Place[];
  /** Where it goes on instead, at any time; none where one of the words must come. */
  readonly done: readonly Place[];
}

/**
 * Within text that may be anything until one of some words is complete. It remembers as much of its
 * end as may be the beginning of one of them (Aho and Corasick's automaton).
 */
export class FreeTextPlace extends Place {
  readonly #places: Places;
  readonly #watch: Watch;
  /** How much of which word has been written; the longest. */
  readonly #word: number;
  readonly #length: number;

  private constructor(id: number, places: Places, watch: Watch, word: number, length: number) {
    super(id);
    this.#places = places;
    this.#watch = watch;
    this.#word = word;
    this.#length = length;
  }

  static at(places: Places, watch: Watch, word = 0, length = 0): FreeTextPlace {
    const key = `f${watch.id},${length === 0 ? 0 : word},${length}`;
    return places.get(key, (id) => new FreeTextPlace(id, places, watch, word, length));
  }

  override get also(): readonly Place[] {
    return this.#watch.done;
  }

  protected findStep(byte: number): readonly Place[] {
    const { words, after } = this.#watch;
    const end = [...(words[this.#word]?.subarray(0, this.#length) ?? []), byte];
    // The longest end of the text that begins a word.
    for (let from = 0; from < end.length; from++) {
      const length = end.length - from;
      const word = words.findIndex((one) => one.length >= length && startsWith(one, end, from));
      if (word < 0) continue;
      if (words[word].length === length) return [after[word]];
      return [FreeTextPlace.at(this.#places, this.#watch, word, length)];
    }
    return [FreeTextPlace.at(this.#places, this.#watch)];
  }
}

function startsWith(word: Uint8Array, text: readonly number[], from: number): boolean {
  for (let i = from; i < text.length; i++) if (word[i - from] !== text[i]) return false;
  return true;
}

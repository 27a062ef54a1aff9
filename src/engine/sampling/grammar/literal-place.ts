import type { ByteTrie } from './byte-trie';
import { END, Place, type Places } from './place';

/** Within one of several texts, after what they have in common. */
export class LiteralPlace extends Place {
  readonly #places: Places;
  readonly #name: string;
  readonly #trie: ByteTrie;
  readonly #done: Place;

  private constructor(id: number, places: Places, name: string, trie: ByteTrie, done: Place) {
    super(id);
    this.#places = places;
    this.#name = name;
    this.#trie = trie;
    this.#done = done;
  }

  /** `name` tells the trie from others. After one of the texts it goes on at `done`. */
  static at(places: Places, name: string, trie: ByteTrie, done: Place = END): LiteralPlace {
    const key = `'${name},${trie.id}`;
    return places.get(key, (id) => new LiteralPlace(id, places, name, trie, done));
  }

  protected findStep(byte: number): readonly Place[] {
    const child = this.#trie.children.get(byte);
    if (child === undefined) return [];
    if (child.isEnd) return [this.#done];
    return [LiteralPlace.at(this.#places, this.#name, child, this.#done)];
  }
}

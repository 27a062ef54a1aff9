import { DEAD, type Dfa } from '../language/dfa';
import { partialCharacter } from './partial-character';
import { Place, type Places } from './place';

const ids = new WeakMap<Dfa, number>();
let count = 0;

/** Within a text of a language that is written as it is. */
export class TextPlace extends Place {
  readonly #places: Places;
  readonly #dfa: Dfa;
  readonly #state: number;
  /** Bytes of a character that is not complete. */
  readonly #partial: readonly number[];
  readonly #done: Place;

  private constructor(
    id: number,
    places: Places,
    dfa: Dfa,
    state: number,
    partial: readonly number[],
    done: Place,
  ) {
    super(id);
    this.#places = places;
    this.#dfa = dfa;
    this.#state = state;
    this.#partial = partial;
    this.#done = done;
  }

  /** After the text it goes on at `done`. */
  static at(
    places: Places,
    dfa: Dfa,
    done: Place,
    state = dfa.start,
    partial: readonly number[] = [],
  ): TextPlace {
    const number = ids.get(dfa) ?? count++;
    ids.set(dfa, number);
    const key = `t${number},${state},${partial.join()},${done.id}`;
    return places.get(key, (id) => new TextPlace(id, places, dfa, state, partial, done));
  }

  override get also(): readonly Place[] {
    const isEnd = this.#partial.length === 0 && this.#dfa.accepting[this.#state] === 1;
    return isEnd ? [this.#done] : [];
  }

  protected findStep(byte: number): readonly Place[] {
    const bytes = [...this.#partial, byte];
    const character = partialCharacter(bytes);
    if (character === undefined) return [];
    const { from, to, isWhole } = character;
    const dfa = this.#dfa;
    if (isWhole) {
      const next = dfa.step(this.#state, from);
      return next === DEAD ? [] : [TextPlace.at(this.#places, dfa, this.#done, next)];
    }
    for (const one of dfa.alphabet.classesWithin(from, to)) {
      if (dfa.next[this.#state * dfa.alphabet.size + one] === DEAD) continue;
      return [TextPlace.at(this.#places, dfa, this.#done, this.#state, bytes)];
    }
    return [];
  }
}

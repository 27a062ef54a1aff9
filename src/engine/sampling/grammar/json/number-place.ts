import { isComplete, isPrefix, shapeOf } from '../../schema/number-text';
import type { Numbers } from '../../schema/numbers';
import { Place, type Places } from '../place';

/** Within a number, after some of its digits. */
export class NumberPlace extends Place {
  readonly #places: Places;
  readonly #numbers: Numbers;
  readonly #text: string;
  readonly #ends: boolean;

  private constructor(id: number, places: Places, numbers: Numbers, text: string) {
    super(id);
    this.#places = places;
    this.#numbers = numbers;
    this.#text = text;
    this.#ends = isComplete(numbers, text);
  }

  static at(places: Places, numbers: Numbers, text = ''): NumberPlace {
    const key = `#${idOf(numbers)},${text}`;
    return places.get(key, (id) => new NumberPlace(id, places, numbers, text));
  }

  override get ends(): boolean {
    return this.#ends;
  }

  protected findStep(byte: number): readonly Place[] {
    const isPart = (byte >= 0x30 && byte <= 0x39) || '-+.e'.includes(String.fromCharCode(byte));
    const text = this.#text + String.fromCharCode(byte);
    if (!isPart || !isPrefix(this.#numbers, text)) return [];
    return [NumberPlace.at(this.#places, this.#numbers, shapeOf(this.#numbers, text))];
  }
}

const ids = new WeakMap<Numbers, number>();
let count = 0;

function idOf(numbers: Numbers): number {
  const known = ids.get(numbers) ?? count++;
  ids.set(numbers, known);
  return known;
}

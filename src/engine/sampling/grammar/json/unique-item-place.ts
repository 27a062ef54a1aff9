import type { ValuePlan } from '../../schema/plan';
import { type Configuration, Machine, type Thread } from '../machine';
import { Place } from '../place';
import type { ArrayFrame, ArrayState } from './array-state';
import { withName } from './named';
import type { UsedValues } from './used-values';

const QUOTE = 0x22;

/** What stays the same over an item. */
interface Item {
  readonly shape: ArrayFrame;
  readonly machine: Machine;
  readonly used: UsedValues;
  /** The array after the item, but for what has been used. */
  readonly next: ArrayState;
}

/**
 * Within an item of an array whose items must all differ. It follows the item by a machine of its
 * own and remembers its text; so it stands for itself in the configurations, whatever there is
 * within the item.
 */
export class UniqueItemPlace extends Place {
  /** Where the item stands. */
  readonly inner: Configuration;
  readonly #item: Item;
  readonly #before: UniqueItemPlace | undefined;
  readonly #byte: number;
  #also: readonly Place[] | undefined;

  private constructor(
    id: number,
    item: Item,
    inner: Configuration,
    before: UniqueItemPlace | undefined,
    byte: number,
  ) {
    super(id);
    this.#item = item;
    this.inner = inner;
    this.#before = before;
    this.#byte = byte;
  }

  /** Before an item; undefined where there is no value that has not been used. */
  static first(
    shape: ArrayFrame,
    value: ValuePlan,
    next: ArrayState,
    used: UsedValues,
  ): UniqueItemPlace | undefined {
    const { places, values } = shape;
    const starts = values.startsOf(used.others(value), used);
    if (starts.length === 0) return undefined;
    const key = `u${shape.keyOf(next)},${value.id},${used.id}`;
    return places.get(key, (id) => {
      const machine = new Machine(starts);
      return new UniqueItemPlace(id, { shape, machine, used, next }, machine.start, undefined, 0);
    });
  }

  override get also(): readonly Place[] {
    this.#also ??= this.#after();
    return this.#also;
  }

  /** Not remembered: no two texts come to the same place. */
  override step(byte: number): readonly Place[] {
    return this.findStep(byte);
  }

  protected findStep(byte: number): readonly Place[] {
    const item = this.#item;
    const next = item.machine.step(this.inner, byte);
    if (next === null) return [];
    const inner = byte === QUOTE ? withName(item.machine, next, this.#text(byte)) : next;
    const place = item.shape.places.fresh((id) => new UniqueItemPlace(id, item, inner, this, byte));
    // An item that is complete and has been there is no way on.
    return inner.threads.length === 0 && place.also.length === 0 ? [] : [place];
  }

  /** The same place, for some of the item's threads alone. */
  only(threads: readonly Thread[]): UniqueItemPlace {
    const item = this.#item;
    const inner = item.machine.of(threads, false);
    return item.shape.places.fresh(
      (id) => new UniqueItemPlace(id, item, inner, this.#before, this.#byte),
    );
  }

  #after(): readonly Place[] {
    const { shape, used, next } = this.#item;
    if (!this.inner.accepts) return [];
    const text = new TextDecoder().decode(this.#text());
    return used.has(text) ? [] : [shape.at('after', { ...next, used: used.with(text) })];
  }

  /** The item's bytes so far, and one more. */
  #text(...more: number[]): Uint8Array {
    const bytes = more;
    for (
      let place: UniqueItemPlace | undefined = this;
      place.#before !== undefined;
      place = place.#before
    ) {
      bytes.push(place.#byte);
    }
    return Uint8Array.from(bytes.reverse());
  }
}

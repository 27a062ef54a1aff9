import { type ArrayPlan, itemOptions, type Option } from '../../schema/plan';
import { END, Place, type Places } from '../place';
import type { ArrayFrame, ArrayState } from './array-state';
import { UniqueItemPlace } from './unique-item-place';
import { UsedValues } from './used-values';
import type { ValueStarts } from './value-starts';

const [SPACE, COMMA, OPEN, CLOSE] = [0x20, 0x2c, 0x5b, 0x5d];

/** An array's plan, made ready to be followed. */
export class ArrayShape implements ArrayFrame {
  readonly plan: ArrayPlan;
  readonly places: Places;
  readonly values: ValueStarts;

  constructor(plan: ArrayPlan, places: Places, values: ValueStarts) {
    this.plan = plan;
    this.places = places;
    this.values = values;
  }

  get start(): Place {
    return this.at('start', this.startState);
  }

  get startState(): ArrayState {
    const { counts, unique } = this.plan;
    return { index: 0, counts: counts.map(() => 0), used: unique ? UsedValues.NONE : undefined };
  }

  at(phase: Phase, state: ArrayState): Place {
    const key = `${phase}${this.keyOf(state)}`;
    return this.places.get(key, (id) => new ArrayPlace(id, this, phase, state));
  }

  keyOf({ index, counts, used }: ArrayState): string {
    return `a${this.plan.id},${index},${counts.join()},${used?.id ?? ''}`;
  }

  mayFinish({ index, counts }: ArrayState): boolean {
    return (
      index >= this.plan.min && counts.every((count, kind) => count >= this.plan.counts[kind].min)
    );
  }

  /** What the next item may be, and how things stand after it. */
  options(state: ArrayState): { option: Option; next: ArrayState }[] {
    const { max, counts } = this.plan;
    if (state.index >= max) return [];
    const found: { option: Option; next: ArrayState }[] = [];
    for (const option of itemOptions(this.plan, state.index)) {
      const hits = state.counts.map((count, kind) => count + ((option.hits >> kind) & 1));
      if (hits.some((count, kind) => count > counts[kind].max)) continue;
      const next = { ...state, index: state.index + 1, counts: hits };
      if (this.#leadsOn(next)) found.push({ option, next: this.#clamped(next) });
    }
    return found;
  }

  /** Whether what is still needed may still come. */
  #leadsOn({ index, counts }: ArrayState): boolean {
    const { items, max } = this.plan;
    const last = items.length - 1;
    return counts.every((count, kind) => {
      let missing = this.plan.counts[kind].min - count;
      for (let i = index; missing > 0 && i < max; i++) {
        if (!itemOptions(this.plan, i).some(({ hits }) => (hits >> kind) & 1)) {
          if (i >= last) return false;
          continue;
        }
        if (i >= last) return max - i >= missing;
        missing--;
      }
      return missing <= 0;
    });
  }

  #clamped({ index, counts, used }: ArrayState): ArrayState {
    const { items, min, max, counts: wanted } = this.plan;
    const enough = Math.max(items.length - 1, min);
    return {
      index: max === Infinity ? Math.min(index, enough) : index,
      counts: counts.map((count, kind) =>
        wanted[kind].max === Infinity ? Math.min(count, wanted[kind].min) : count,
      ),
      used,
    };
  }
}

/**
 * `start`: before the bracket. `open`: after it. `more`: after a comma. `spaced`: after a comma and
 * a space. `after`: after an item.
 */
type Phase = 'start' | 'open' | 'more' | 'spaced' | 'after';

class ArrayPlace extends Place {
  readonly #shape: ArrayShape;
  readonly #phase: Phase;
  readonly #state: ArrayState;
  #items: readonly Place[] | undefined;

  constructor(id: number, shape: ArrayShape, phase: Phase, state: ArrayState) {
    super(id);
    this.#shape = shape;
    this.#phase = phase;
    this.#state = state;
  }

  override get takesBytes(): boolean {
    return this.#phase !== 'spaced';
  }

  override get also(): readonly Place[] {
    this.#items ??= this.#uniqueItems();
    return this.#items;
  }

  protected override findCalls() {
    if (!this.#expectsItem || this.#state.used !== undefined) return [];
    const shape = this.#shape;
    return shape.options(this.#state).map(({ option, next }) => ({
      starts: shape.values.starts(option.value),
      after: shape.at('after', next),
    }));
  }

  get #expectsItem(): boolean {
    return this.#phase !== 'start' && this.#phase !== 'after';
  }

  #uniqueItems(): readonly Place[] {
    const { used } = this.#state;
    if (!this.#expectsItem || used === undefined) return [];
    return this.#shape.options(this.#state).flatMap(({ option, next }) => {
      const item = UniqueItemPlace.first(this.#shape, option.value, next, used);
      return item === undefined ? [] : [item];
    });
  }

  protected findStep(byte: number): readonly Place[] {
    const shape = this.#shape;
    const state = this.#state;
    switch (this.#phase) {
      case 'start':
        return byte === OPEN ? [shape.at('open', state)] : [];
      case 'open':
        return byte === CLOSE && shape.mayFinish(state) ? [END] : [];
      case 'more':
        return byte === SPACE ? [shape.at('spaced', state)] : [];
      case 'spaced':
        return [];
      case 'after':
        if (byte === CLOSE) return shape.mayFinish(state) ? [END] : [];
        return byte === COMMA && shape.options(state).length > 0 ? [shape.at('more', state)] : [];
    }
  }
}

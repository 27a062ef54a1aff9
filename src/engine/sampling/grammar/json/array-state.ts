import type { Place, Places } from '../place';
import type { UsedValues } from './used-values';
import type { ValueStarts } from './value-starts';

/** Where an array stands. */
export interface ArrayState {
  /** Items so far; where more make no difference, as few as that. */
  readonly index: number;
  /** How many there have been of each kind; likewise. */
  readonly counts: readonly number[];
  /** The items so far, where all must differ. */
  readonly used: UsedValues | undefined;
}

/** What an item has to know of the array around it. */
export interface ArrayFrame {
  readonly places: Places;
  readonly values: ValueStarts;
  keyOf(state: ArrayState): string;
  /** The array once an item is complete. */
  at(phase: 'after', state: ArrayState): Place;
}

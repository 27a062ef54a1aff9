import type { Numbers } from './numbers';
import type { Language, Texts } from './texts';

/**
 * How the values of a node are written: all ways at once. What is listed here can be written to its
 * end, once `Planner` is done.
 */
export interface ValuePlan {
  readonly id: number;
  /** Some value can be written. */
  isPossible: boolean;
  null: boolean;
  true: boolean;
  false: boolean;
  numbers: readonly Numbers[];
  /** Strings, one by one. */
  words: readonly string[];
  languages: readonly Language[];
  arrays: readonly ArrayPlan[];
  objects: readonly ObjectPlan[];
}

/** One way to write an item or a property's value, and what that counts for. */
export interface Option {
  readonly value: ValuePlan;
  /** Bit i: it is one of those of `counts[i]` (of `some`, in an object). */
  readonly hits: number;
}

export interface ArrayPlan {
  readonly id: number;
  /** The items' options by index; the last is that of all further ones. */
  items: readonly (readonly Option[])[];
  min: number;
  max: number;
  /** How many items are to be of some kind. */
  counts: readonly { readonly min: number; readonly max: number }[];
  unique: boolean;
}

export interface ObjectPlan {
  readonly id: number;
  /** In the order in which they are written. */
  known: readonly KnownProperty[];
  /** Properties of other names, by their names. */
  others: readonly OtherProperties[];
  /** Names that are none of the others'. */
  excluded: readonly string[];
  min: number;
  max: number;
  /** Kinds of properties of which there is to be one: the lowest bits. */
  some: number;
}

export interface KnownProperty {
  readonly name: string;
  readonly required: boolean;
  readonly options: readonly Option[];
}

export interface OtherProperties {
  readonly names: Texts;
  readonly options: readonly Option[];
}

/** The options of the item at an index. */
export function itemOptions({ items }: ArrayPlan, index: number): readonly Option[] {
  return items[Math.min(index, items.length - 1)];
}

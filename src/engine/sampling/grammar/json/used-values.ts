import { isPrefix } from '../../schema/number-text';
import type { Numbers } from '../../schema/numbers';
import type { ValuePlan } from '../../schema/plan';
import { NameSet } from './name-set';

/** The items of an array whose items must all differ. Adding one makes a new set. */
export class UsedValues {
  static #count = 0;
  static readonly NONE = new UsedValues(new Set(), NameSet.EMPTY, new Set());

  readonly id = UsedValues.#count++;
  readonly strings: NameSet;
  /** By their canonical texts. */
  readonly #values: ReadonlySet<string>;
  readonly #numbers: ReadonlySet<number>;

  private constructor(values: ReadonlySet<string>, strings: NameSet, numbers: ReadonlySet<number>) {
    this.#values = values;
    this.strings = strings;
    this.#numbers = numbers;
  }

  /** Whether a value, as JSON, is among them. */
  has(json: string): boolean {
    return this.#values.has(canonical(JSON.parse(json)));
  }

  with(json: string): UsedValues {
    const value: unknown = JSON.parse(json);
    return new UsedValues(
      new Set(this.#values).add(canonical(value)),
      typeof value === 'string' ? this.strings.with(value) : this.strings,
      typeof value === 'number' ? new Set(this.#numbers).add(value) : this.#numbers,
    );
  }

  /** What else a value may be. Of objects and lists it shows at their end only. */
  others(plan: ValuePlan): ValuePlan {
    const { words, numbers } = plan;
    const free = (one: unknown) => !this.#values.has(canonical(one));
    const rest: Numbers[] = numbers.map((set) => ({
      ...set,
      except: new Set([...set.except, ...this.#numbers]),
      values: set.values?.filter(free),
    }));
    return {
      ...plan,
      null: plan.null && free(null),
      true: plan.true && free(true),
      false: plan.false && free(false),
      words: words.filter(free),
      numbers: rest.filter((set) => isPrefix(set, '')),
    };
  }
}

/** The same text for equal values: whatever order names come in. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

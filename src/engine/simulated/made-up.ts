/** Values that satisfy a JSON schema and mean nothing, for the simulated engine's answers. */
import { type Random, seededRandom } from '../../scheduler';
import { ArrayShape } from '../sampling/grammar/json/array-places';
import type { ArrayState } from '../sampling/grammar/json/array-state';
import { ObjectShape, type ObjectState } from '../sampling/grammar/json/object-places';
import { UsedValues } from '../sampling/grammar/json/used-values';
import { Values } from '../sampling/grammar/json/values';
import { Places } from '../sampling/grammar/place';
import { Pace } from '../sampling/pace';
import { invalid } from '../sampling/schema/invalid-schema';
import type { ValuePlan } from '../sampling/schema/plan';
import { planOf } from '../sampling/schema/planner';
import { inSlices, type Sliced } from '../sampling/sliced';
import { madeUpNumber } from './made-up-number';
import { madeUpName, madeUpText } from './made-up-text';

/** Deeper than this, a value is as small as its schema allows. */
const PLENTY_UNTIL = 3;
/** Items where there may be any number. */
const FEW = 2;
const MAX_WORK = 1_000_000;
/** Items that are tried where all must differ. */
const TRIES = 20;
/** Values within one that is made up: more would fit into no answer. */
const MAX_VALUES = 4096;
const MAX_CHARACTERS = 65_536;

/**
 * What makes values up that satisfy `schema`: the same for the same seed. `path` is the schema's, for
 * errors; `objects`: nothing but objects. Throws invalid_schema where there is none, where output could
 * not be held to the schema, or, once one is made up, where it is larger than any answer.
 */
export async function makingUp(
  schema: unknown,
  path: string,
  { objects = false } = {},
): Promise<(seed: number) => Promise<unknown>> {
  const plan = await planOf(schema, path, new Pace(MAX_WORK));
  const start = objects ? { ...NOTHING, isPossible: true, objects: plan.objects } : plan;
  const heights = await inSlices(heightsOf(plan), new Pace(Infinity));
  return (seed) => {
    const making = new MakingUp(heights, seededRandom(seed), path);
    return inSlices(making.value(start, 0), new Pace(Infinity));
  };
}

const NOTHING: ValuePlan = {
  id: -1,
  isPossible: false,
  ...{ null: false, true: false, false: false },
  ...{ numbers: [], words: [], languages: [], arrays: [], objects: [] },
};

/** A way to write a value, and how many values within values that takes at least. */
interface Way {
  height: () => number;
  make: () => Sliced<unknown>;
}

class MakingUp {
  readonly #heights: ReadonlyMap<ValuePlan, number>;
  readonly #random: Random;
  readonly #places = new Places();
  readonly #values = new Values(this.#places);
  readonly #path: string;
  #made = 0;

  constructor(heights: ReadonlyMap<ValuePlan, number>, random: Random, path: string) {
    this.#heights = heights;
    this.#random = random;
    this.#path = path;
  }

  *value(plan: ValuePlan, depth: number): Sliced<unknown> {
    if (++this.#made > MAX_VALUES) {
      invalid(this.#path, `asks for more than ${MAX_VALUES} values, which no answer has room for`);
    }
    yield;
    const ways: Way[] = [];
    const scalar = (make: () => unknown) => ways.push({ height: () => 0, make: () => done(make) });
    if (plan.null) scalar(() => null);
    if (plan.true) scalar(() => true);
    if (plan.false) scalar(() => false);
    for (const numbers of plan.numbers) scalar(() => madeUpNumber(numbers, this.#random));
    if (plan.words.length > 0) scalar(() => plan.words[this.#below(plan.words.length)]);
    for (const language of plan.languages) scalar(() => this.#text(language));
    for (const array of plan.arrays) {
      const shape = new ArrayShape(array, this.#places, this.#values);
      ways.push({ height: () => this.#arrayHeight(shape), make: () => this.#array(shape, depth) });
    }
    for (const object of plan.objects) {
      const shape = new ObjectShape(object, this.#places, this.#values);
      ways.push({
        height: () => this.#objectHeight(shape),
        make: () => this.#object(shape, depth),
      });
    }
    let open = ways;
    if (depth >= PLENTY_UNTIL && ways.length > 1) {
      const heights = ways.map(({ height }) => height());
      const least = Math.min(...heights);
      open = ways.filter((_, i) => heights[i] === least);
    }
    return yield* open[this.#below(open.length)].make();
  }

  #text(language: ValuePlan['languages'][number]): string {
    if (language.min > MAX_CHARACTERS) {
      const most = `more than ${MAX_CHARACTERS} characters`;
      invalid(this.#path, `asks for a text of ${most}, which no answer has room for`);
    }
    return madeUpText(language, this.#random);
  }

  *#array(shape: ArrayShape, depth: number): Sliced<unknown> {
    const items: unknown[] = [];
    const wanted = depth < PLENTY_UNTIL ? 1 + this.#below(FEW) : 0;
    let state: ArrayState = shape.startState;
    let used = UsedValues.NONE;
    for (;;) {
      if (shape.mayFinish(state) && items.length >= wanted) return items;
      const options = shape.options(state);
      const option = this.#lowest(options, depth, ({ option }) => option.value);
      if (option === undefined) return items;
      let item = yield* this.value(option.option.value, depth + 1);
      if (shape.plan.unique) {
        for (let i = 0; i < TRIES && used.has(JSON.stringify(item)); i++) {
          item = yield* this.value(used.others(option.option.value), depth + 1);
        }
        if (used.has(JSON.stringify(item))) return items;
        used = used.with(JSON.stringify(item));
      }
      items.push(item);
      state = option.next;
    }
  }

  *#object(shape: ObjectShape, depth: number): Sliced<unknown> {
    const made = new Map<string, unknown>();
    const { known } = shape.plan;
    let state: ObjectState = shape.startState;
    const making = this;
    function* write(name: string, which: Parameters<ObjectShape['options']>[1]): Sliced<void> {
      const option = making.#lowest(shape.options(state, which), depth, ({ value }) => value);
      if (option === undefined) return;
      made.set(name, yield* making.value(option.value, depth + 1));
      state = { ...option.next, used: option.next.used.with(name) };
    }
    for (const [index, { name, required }] of known.entries()) {
      if (index < state.index) continue;
      yield;
      const rest: ObjectState = { ...state, index: index + 1 };
      const isNeeded = required || !(shape.mayFinish(rest) || shape.mayGoOn(rest));
      const isWanted = depth < PLENTY_UNTIL && this.#random() < 0.7;
      if (isNeeded || isWanted) yield* write(name, { known: index });
    }
    // A list by names that are free is dull without an entry.
    const isDull = () => made.size === 0 && depth < PLENTY_UNTIL;
    while (!shape.mayFinish(state) || isDull()) {
      const others = shape.others(state);
      if (others.length === 0) break;
      const other = others[this.#below(others.length)];
      const name = madeUpName(shape.plan.others[other].names, state.used, this.#random);
      if (name === undefined) break;
      yield* write(name, { other });
    }
    return Object.fromEntries(made);
  }

  /** One of some options; in the depths one that comes to an end soonest. */
  #lowest<T>(options: readonly T[], depth: number, planOf: (one: T) => ValuePlan): T | undefined {
    const height = (one: T) => this.#heights.get(planOf(one)) ?? 0;
    const least = Math.min(...options.map(height));
    const open = depth < PLENTY_UNTIL ? options : options.filter((one) => height(one) === least);
    return open[this.#below(open.length)];
  }

  #arrayHeight(shape: ArrayShape): number {
    return arrayHeight(shape.plan, this.#heights);
  }

  #objectHeight(shape: ObjectShape): number {
    return objectHeight(shape.plan, this.#heights);
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

/** What takes no time to speak of. */
// biome-ignore lint/correctness/useYield: nothing to rest between
function* done(make: () => unknown): Sliced<unknown> {
  return make();
}

type Heights = ReadonlyMap<ValuePlan, number>;

const lowest = (options: readonly { value: ValuePlan }[], heights: Heights) =>
  Math.min(...options.map(({ value }) => heights.get(value) ?? Infinity));

function arrayHeight({ items, min }: ValuePlan['arrays'][number], heights: Heights): number {
  const needed = items.slice(0, min);
  return 1 + Math.max(0, ...needed.map((options) => lowest(options, heights)));
}

function objectHeight(
  { known, min, others }: ValuePlan['objects'][number],
  heights: Heights,
): number {
  const needed = known.filter(({ required }) => required);
  const inner = needed.map(({ options }) => lowest(options, heights));
  if (needed.length < min) {
    inner.push(Math.min(...[...known, ...others].map(({ options }) => lowest(options, heights))));
  }
  return 1 + Math.max(0, ...inner);
}

/** How many values within values each plan takes at least. */
function* heightsOf(root: ValuePlan): Sliced<Heights> {
  const plans = new Set([root]);
  for (const { arrays, objects } of plans) {
    for (const { items } of arrays) for (const { value } of items.flat()) plans.add(value);
    for (const { known, others } of objects) {
      for (const { options } of [...known, ...others])
        for (const { value } of options) plans.add(value);
    }
  }
  const heights = new Map<ValuePlan, number>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const plan of plans) {
      yield;
      const { arrays, objects } = plan;
      const isScalar = plan.null || plan.true || plan.false || plan.numbers.length > 0;
      const isText = plan.words.length + plan.languages.length > 0;
      const height =
        isScalar || isText
          ? 0
          : Math.min(
              ...arrays.map((array) => arrayHeight(array, heights)),
              ...objects.map((object) => objectHeight(object, heights)),
            );
      if (height < (heights.get(plan) ?? Infinity)) {
        heights.set(plan, height);
        changed = true;
      }
    }
  }
  return heights;
}

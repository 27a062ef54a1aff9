import { TooComplex } from '../language/too-complex';
import type { Pace } from '../pace';
import { SchemaDocument } from './document';
import { invalid } from './invalid-schema';
import { type Node, Nodes } from './nodes';
import { isAllNumbers, type Numbers } from './numbers';
import type {
  ArrayPlan,
  KnownProperty,
  ObjectPlan,
  Option,
  OtherProperties,
  ValuePlan,
} from './plan';
import {
  ARRAY,
  type ArrayRules,
  FALSE,
  type Literal,
  type NamePattern,
  NULL,
  NUMBER,
  negated,
  OBJECT,
  type ObjectRules,
  type Some,
  STRING,
  TRUE,
} from './rules';
import {
  ALL_TEXTS,
  allBut,
  complementTexts,
  countTexts,
  hasText,
  intersectTexts,
  isAllTexts,
  isEmptyTexts,
  type Language,
  type Texts,
} from './texts';

/** Things of which some or so many are to be, at once. */
const MAX_KINDS = 4;
/** Values that are counted, where all items must differ. */
const MAX_COUNTED = 1_000_000;

/**
 * Plans how the values of a schema are written. `path` is the schema's, for errors. Throws
 * invalid_schema, with the path of what is wrong, too large or not supported.
 */
export async function planOf(schema: unknown, path: string, pace: Pace): Promise<ValuePlan> {
  try {
    return await new Planner(new SchemaDocument(schema, path), pace).plan();
  } catch (error) {
    if (error instanceof TooComplex) invalid(path, `${error.message}; make it simpler`, error);
    throw error;
  }
}

/** Plans so far: their numbers are theirs alone, whatever schema they are of. */
let count = 0;

class Planner {
  readonly #nodes: Nodes;
  readonly #pace: Pace;
  readonly #values = new Map<Node, ValuePlan>();
  readonly #open: Node[] = [];

  constructor(document: SchemaDocument, pace: Pace) {
    this.#pace = pace;
    this.#nodes = new Nodes(document, pace);
  }

  async plan(): Promise<ValuePlan> {
    const { root } = this.#nodes;
    const plan = this.#value(root);
    for (let node = this.#open.pop(); node !== undefined; node = this.#open.pop()) {
      await this.#fill(this.#value(node), node);
      if (this.#pace.due) await this.#pace.rest();
    }
    await this.#findPossible();
    if (!plan.isPossible) invalid(this.#nodes.pathOf(root), 'allows no value');
    for (const value of this.#values.values()) {
      trim(value);
      if (this.#pace.due) await this.#pace.rest();
    }
    return plan;
  }

  #value(node: Node): ValuePlan {
    const known = this.#values.get(node);
    if (known !== undefined) return known;
    const plan: ValuePlan = {
      id: count++,
      isPossible: false,
      ...{ null: false, true: false, false: false },
      ...{ numbers: [], words: [], languages: [], arrays: [], objects: [] },
    };
    this.#values.set(node, plan);
    this.#open.push(node);
    return plan;
  }

  async #fill(plan: ValuePlan, node: Node): Promise<void> {
    const rules = await this.#nodes.rulesOf(node);
    const numbers: Numbers[] = [];
    const words = new Set<string>();
    const languages: Language[] = [];
    const arrays: ArrayPlan[] = [];
    const objects: ObjectPlan[] = [];
    for (const one of rules) {
      this.#pace.spend(1);
      if (one.types & NULL) plan.null = true;
      if (one.types & TRUE) plan.true = true;
      if (one.types & FALSE) plan.false = true;
      if (one.types & NUMBER) numbers.push(one.numbers);
      if (one.types & STRING) {
        if (one.texts.kind === 'words') for (const word of one.texts.words) words.add(word);
        else languages.push(one.texts);
      }
      if (one.types & ARRAY) arrays.push(await this.#array(one.array, node));
      if (one.types & OBJECT) objects.push(await this.#object(one.object, node));
    }
    const all = numbers.find(isAllNumbers);
    plan.numbers = all === undefined ? distinct(numbers, numbersKey) : [all];
    const every = languages.find(isAllTexts);
    plan.languages = every === undefined ? [...new Set(languages)] : [every];
    plan.words = every === undefined ? [...words] : [];
    plan.arrays = arrays;
    plan.objects = objects;
  }

  async #array(rules: ArrayRules, node: Node): Promise<ArrayPlan> {
    const { counts } = rules;
    if (counts.length > MAX_KINDS) {
      invalid(
        this.#nodes.pathOf(node),
        `says of more than ${MAX_KINDS} kinds of items how many there are to be`,
      );
    }
    const length = Math.max(
      rules.prefix.length,
      ...[...rules.rest, ...counts].map(({ from }) => from),
    );
    const items: Option[][] = [];
    for (let index = 0; index <= length; index++) {
      this.#pace.spend(1);
      const own = this.#nodes.item(rules, index).literals;
      let options = [{ literals: own, hits: 0 }];
      counts.forEach((count, kind) => {
        if (index < count.from) return;
        const hit = options.map(({ literals, hits }) => ({
          literals: [...literals, ...count.literals],
          hits: hits | (1 << kind),
        }));
        // Where there may be too many, what does not count must not be of that kind.
        const not = count.max === Infinity ? [] : count.literals.map(negated);
        const missed =
          count.max < Infinity && count.literals.length === 0
            ? [] // everything is
            : options.map(({ literals, hits }) => ({ literals: [...literals, ...not], hits }));
        options = count.max === 0 ? missed : [...hit, ...missed];
      });
      items.push(options.map(({ literals, hits }) => this.#option(literals, hits)));
    }
    return {
      id: count++,
      items,
      min: rules.min,
      max: rules.max,
      counts: counts.map(({ min, max }) => ({ min, max })),
      unique: rules.unique,
    };
  }

  async #object(rules: ObjectRules, node: Node): Promise<ObjectPlan> {
    if (rules.some.length > MAX_KINDS) {
      invalid(
        this.#nodes.pathOf(node),
        `says of more than ${MAX_KINDS} kinds of properties that there is to be one`,
      );
    }
    const nameTexts = await this.#nameTexts(rules.names);
    const conditions = await Promise.all(rules.some.map((one) => this.#namesOf(one)));
    const names = new Set([...rules.properties.keys(), ...rules.required]);
    const known: KnownProperty[] = [];
    for (const name of names) {
      this.#pace.spend(1 + rules.patterns.length);
      if (this.#pace.due) await this.#pace.rest();
      const literals = nameTexts.some((texts) => hasText(texts, name))
        ? this.#nodes.property(rules, name).literals
        : [1];
      const may = (kind: number) => conditions[kind].some((texts) => hasText(texts, name));
      const options = this.#options(literals, rules.some, may);
      known.push({ name, required: rules.required.has(name), options });
    }
    return {
      id: count++,
      known,
      others: await this.#others(rules, nameTexts, conditions, [...names]),
      excluded: [...names],
      min: rules.min,
      max: rules.max,
      some: rules.some.length,
    };
  }

  /** The other names, parted by what their values satisfy. */
  async #others(
    rules: ObjectRules,
    nameTexts: readonly Texts[],
    conditions: readonly (readonly Texts[])[],
    known: readonly string[],
  ): Promise<OtherProperties[]> {
    let classes = nameTexts.map((texts) => ({ texts, matched: new Set<string>() }));
    const patterns = new Map<string, NamePattern>();
    for (const { pattern } of rules.patterns) patterns.set(pattern.source, pattern);
    for (const { patterns: more } of rules.others) {
      for (const pattern of more) patterns.set(pattern.source, pattern);
    }
    for (const { source, texts: matching } of patterns.values()) {
      const split: typeof classes = [];
      for (const { texts, matched } of classes) {
        const within = await intersectTexts(texts, matching, this.#pace);
        if (!isEmptyTexts(within))
          split.push({ texts: within, matched: new Set([...matched, source]) });
        for (const rest of await complementTexts(matching, this.#pace)) {
          const without = await intersectTexts(texts, rest, this.#pace);
          if (!isEmptyTexts(without)) split.push({ texts: without, matched });
        }
      }
      classes = split;
      this.#pace.spend(classes.length * classes.length);
    }
    const others: OtherProperties[] = [];
    for (const { texts, matched } of classes) {
      const literals = new Set<Literal>();
      for (const { pattern, literals: more } of rules.patterns) {
        if (matched.has(pattern.source)) for (const one of more) literals.add(one);
      }
      for (const { patterns: except, literals: more } of rules.others) {
        if (except.some(({ source }) => matched.has(source))) continue;
        for (const one of more) literals.add(one);
      }
      const left = await intersectTexts(
        texts,
        { ...ALL_TEXTS, except: new Set(known) },
        this.#pace,
      );
      if (isEmptyTexts(left)) continue;
      // The names that known ones exclude are kept apart, so that all languages stay as they are.
      const names = texts.kind === 'words' ? left : texts;
      let kinds = [{ names, literals: [...literals], hits: 0 }];
      for (let kind = 0; kind < conditions.length; kind++) {
        const more: typeof kinds = [];
        for (const one of kinds) {
          for (const condition of conditions[kind]) {
            const within = await intersectTexts(one.names, condition, this.#pace);
            if (isEmptyTexts(within)) continue;
            const hit = [...one.literals, ...rules.some[kind].literals];
            more.push({ names: within, literals: hit, hits: one.hits | (1 << kind) });
          }
        }
        kinds = [...kinds, ...more];
      }
      for (const one of kinds) {
        others.push({ names: one.names, options: [this.#option(one.literals, one.hits)] });
      }
    }
    return others;
  }

  async #nameTexts(literals: readonly Literal[]): Promise<Texts[]> {
    return literals.length === 0 ? [ALL_TEXTS] : this.#nodes.textsOf(this.#nodes.node(literals));
  }

  /** The names that a property of some kind may have. */
  async #namesOf({ others, pattern, names }: Some): Promise<Texts[]> {
    let found = await this.#nameTexts(names);
    const narrow = async (sets: readonly Texts[]) => {
      const narrowed: Texts[] = [];
      for (const one of found) {
        for (const set of sets) {
          const within = await intersectTexts(one, set, this.#pace);
          if (!isEmptyTexts(within)) narrowed.push(within);
        }
      }
      found = narrowed;
    };
    if (pattern !== undefined) await narrow([pattern.texts]);
    for (const { texts } of others.patterns) await narrow(await complementTexts(texts, this.#pace));
    if (others.names.size > 0) await narrow([allBut(others.names)]);
    return found;
  }

  #options(
    literals: readonly Literal[],
    kinds: readonly Some[],
    may: (kind: number) => boolean,
  ): Option[] {
    let options = [{ literals, hits: 0 }];
    kinds.forEach(({ literals: more }, kind) => {
      if (!may(kind)) return;
      options = options.flatMap((option) => [
        option,
        { literals: [...option.literals, ...more], hits: option.hits | (1 << kind) },
      ]);
    });
    return options.map((option) => this.#option(option.literals, option.hits));
  }

  #option(literals: readonly Literal[], hits: number): Option {
    return { value: this.#value(this.#nodes.node(literals)), hits };
  }

  /** Marks what can be written: first what holds nothing else, then what holds only that, and so on. */
  async #findPossible(): Promise<void> {
    let open = [...this.#values.values()];
    for (let found = true; found; ) {
      found = false;
      const rest: ValuePlan[] = [];
      for (const plan of open) {
        this.#pace.spend(1);
        if (this.#pace.due) await this.#pace.rest();
        plan.isPossible =
          plan.null ||
          plan.true ||
          plan.false ||
          plan.numbers.length + plan.words.length + plan.languages.length > 0 ||
          plan.arrays.some(isPossibleArray) ||
          plan.objects.some(isPossibleObject);
        if (plan.isPossible) found = true;
        else rest.push(plan);
      }
      open = rest;
    }
  }
}

const isPossible = ({ value }: Option) => value.isPossible;

/** The most items that can be written. */
function mostItems(plan: ArrayPlan): number {
  const dead = plan.items.findIndex((options) => !options.some(isPossible));
  const most = dead < 0 ? plan.max : Math.min(plan.max, dead);
  if (!plan.unique || plan.items.length > 1) return most;
  return Math.min(most, countValues(plan.items[0].map(({ value }) => value)));
}

function isPossibleArray(plan: ArrayPlan): boolean {
  const most = mostItems(plan);
  if (plan.min > most) return false;
  return plan.counts.every(({ min }, kind) => {
    let places = 0;
    for (let i = 0; i < plan.items.length && i < most; i++) {
      const hits = plan.items[i].some((option) => isPossible(option) && option.hits & (1 << kind));
      if (hits) places += i === plan.items.length - 1 ? most - i : 1;
    }
    return places >= min;
  });
}

function isPossibleObject(plan: ObjectPlan): boolean {
  const { known, others, min, max, some } = plan;
  if (known.some(({ required, options }) => required && !options.some(isPossible))) return false;
  if (known.filter(({ required }) => required).length > max) return false;
  const open = others.filter(({ options }) => options.some(isPossible));
  let count = known.filter(({ options }) => options.some(isPossible)).length;
  for (const { names } of open) count += countTexts(names, min);
  if (count < min) return false;
  for (let kind = 0; kind < some; kind++) {
    const hits = (option: Option) => isPossible(option) && (option.hits & (1 << kind)) !== 0;
    if (![...known, ...open].some(({ options }) => options.some(hits))) return false;
  }
  return true;
}

/** How many values there are, at most, where that can be said; else Infinity. */
function countValues(values: readonly ValuePlan[]): number {
  let count = 0;
  const has = (kind: 'null' | 'true' | 'false') => values.some((value) => value[kind]);
  for (const kind of ['null', 'true', 'false'] as const) if (has(kind)) count++;
  const texts = new Set<string>();
  for (const { numbers, words: list, languages, arrays, objects } of values) {
    if (arrays.some(isPossibleArray) || objects.some(isPossibleObject)) return Infinity;
    for (const word of list) texts.add(word);
    for (const language of languages) {
      const texts = countTexts(language, MAX_COUNTED);
      if (texts >= MAX_COUNTED) return Infinity;
      count += texts;
    }
    for (const { values: few, whole, min, max } of numbers) {
      if (few !== undefined) count += few.length;
      else if (whole && max - min < MAX_COUNTED) count += Math.floor(max) - Math.ceil(min) + 1;
      else return Infinity;
    }
  }
  return count + texts.size;
}

/** Leaves out what cannot be written. */
function trim(plan: ValuePlan): void {
  plan.arrays = plan.arrays.filter(isPossibleArray);
  plan.objects = plan.objects.filter(isPossibleObject);
  for (const array of plan.arrays) {
    array.max = mostItems(array);
    array.items = array.items.map((options) => options.filter(isPossible));
  }
  for (const object of plan.objects) {
    object.known = object.known.flatMap(({ options, ...property }) => {
      const possible = options.filter(isPossible);
      return possible.length === 0 ? [] : [{ ...property, options: possible }];
    });
    object.others = object.others.flatMap(({ names, options }) => {
      const possible = options.filter(isPossible);
      return possible.length === 0 ? [] : [{ names, options: possible }];
    });
  }
}

function distinct<T>(list: readonly T[], keyOf: (one: T) => string): T[] {
  return [...new Map(list.map((one) => [keyOf(one), one])).values()];
}

function numbersKey({ min, max, whole, multiples, notMultiples, except, values }: Numbers): string {
  return [min, max, whole, multiples, notMultiples, [...except], values ?? 'any'].join(';');
}

import type { ObjectPlan, Option, ValuePlan } from '../../schema/plan';
import { countTexts } from '../../schema/texts';
import { ByteTrie } from '../byte-trie';
import { LiteralPlace } from '../literal-place';
import { END, NEVER, Place, type Places } from '../place';
import { NameSet } from './name-set';
import type { Named } from './named';
import { leadsOn, StringPlace, startOf } from './string-place';
import type { ValueStarts } from './value-starts';

const [SPACE, QUOTE, COMMA, COLON, CLOSE] = [0x20, 0x22, 0x2c, 0x3a, 0x7d];
/** Names that are counted. */
const MANY = 10_000;

/** Where an object stands: what it has and may still have. */
export interface ObjectState {
  /** The first known property that may still come. */
  readonly index: number;
  /** Properties so far, where their number matters. */
  readonly count: number;
  /** Names that may not come again. */
  readonly used: NameSet;
  /** The last of the other names is not among `used` yet; see `Named`. */
  readonly isPending: boolean;
  /** Kinds of which there has been one. */
  readonly hits: number;
}

/** Which property is being written: a known one by its index, or one of the others. */
type Which = { readonly known: number } | { readonly other: number };

/** An object's plan, made ready to be followed. */
export class ObjectShape {
  readonly plan: ObjectPlan;
  readonly places: Places;
  readonly values: ValueStarts;
  readonly key: string;
  readonly #names: ByteTrie;
  readonly #nextRequired: number[];
  /** By index: how many from there on are required, may be written, and which kinds they may be of. */
  readonly #requiredFrom: number[];
  readonly #knownFrom: number[];
  readonly #hitsFrom: number[];
  readonly #othersHits: number;
  readonly #otherNames: number;
  readonly #counts: boolean;
  readonly #allHits: number;

  constructor(plan: ObjectPlan, places: Places, values: ValueStarts) {
    this.plan = plan;
    this.places = places;
    this.values = values;
    this.key = `o${plan.id}`;
    const { known, others, excluded, min, max } = plan;
    this.#names = ByteTrie.of(known.map(({ name }) => JSON.stringify(name).slice(1)));
    const length = known.length;
    this.#nextRequired = new Array(length + 1).fill(length);
    this.#requiredFrom = new Array(length + 1).fill(0);
    this.#knownFrom = new Array(length + 1).fill(0);
    this.#hitsFrom = new Array(length + 1).fill(0);
    for (let i = length - 1; i >= 0; i--) {
      const { required, options } = known[i];
      this.#nextRequired[i] = required ? i : this.#nextRequired[i + 1];
      this.#requiredFrom[i] = this.#requiredFrom[i + 1] + (required ? 1 : 0);
      this.#knownFrom[i] = this.#knownFrom[i + 1] + 1;
      this.#hitsFrom[i] = this.#hitsFrom[i + 1] | hitsOf(options);
    }
    this.#othersHits = others.reduce((hits, { options }) => hits | hitsOf(options), 0);
    const names = others.reduce((sum, one) => {
      const isExcluded = (name: string) =>
        one.names.kind === 'words' && one.names.words.includes(name);
      return sum + countTexts(one.names, MANY) - excluded.filter(isExcluded).length;
    }, 0);
    this.#otherNames = names >= MANY - excluded.length ? Infinity : names;
    this.#allHits = (1 << plan.some) - 1;
    this.#counts =
      min > this.#requiredFrom[0] || max < length + this.#otherNames || this.#otherNames < Infinity;
  }

  get start(): Place {
    return this.#place('start', this.startState);
  }

  get startState(): ObjectState {
    const used = this.plan.others.length === 0 ? NameSet.EMPTY : NameSet.of(this.plan.excluded);
    return { index: 0, count: 0, used, isPending: false, hits: 0 };
  }

  at(phase: Phase, state: ObjectState): Place {
    return this.#place(phase, state);
  }

  keyOf({ index, count, used, isPending, hits }: ObjectState): string {
    return `${this.key},${index},${count},${used.id}${isPending ? 'p' : ''},${hits}`;
  }

  mayFinish({ index, count, hits }: ObjectState): boolean {
    return this.#requiredFrom[index] === 0 && count >= this.#least && hits === this.#allHits;
  }

  mayGoOn(state: ObjectState): boolean {
    return this.mayWriteKnown(state, this.#names) || this.others(state).length > 0;
  }

  /** Whether one of the known properties of a part of the names' trie may come next. */
  mayWriteKnown(state: ObjectState, { members }: ByteTrie): boolean {
    const last = this.#nextRequired[state.index];
    let low = 0;
    let high = members.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (members[middle] < state.index) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < members.length && members[i] <= last; i++) {
      if (this.options(state, { known: members[i] }).length > 0) return true;
    }
    return false;
  }

  /** Which of the others' kinds may come next. */
  others(state: ObjectState): number[] {
    if (this.#requiredFrom[state.index] > 0) return [];
    return this.plan.others.flatMap((_, other) =>
      this.options(state, { other }).length > 0 ? [other] : [],
    );
  }

  /** The values that a property may have, each with how things stand after it. */
  options(state: ObjectState, which: Which): { value: ValuePlan; next: ObjectState }[] {
    const { known, others } = this.plan;
    const isKnown = 'known' in which;
    const { options } = isKnown ? known[which.known] : others[which.other];
    const found: { value: ValuePlan; next: ObjectState }[] = [];
    for (const { value, hits } of options) {
      const next = {
        ...state,
        index: isKnown ? which.known + 1 : known.length,
        count: this.#counts ? state.count + 1 : 0,
        hits: state.hits | hits,
      };
      if (this.#leadsOn(next)) found.push({ value, next });
    }
    return found;
  }

  get names(): ByteTrie {
    return this.#names;
  }

  get #least(): number {
    return this.#counts ? this.plan.min : 0;
  }

  /** Whether what is still needed may still come. */
  #leadsOn({ index, count, used, hits, isPending }: ObjectState): boolean {
    const { min, max, excluded } = this.plan;
    const missing = this.#allHits & ~hits;
    if ((missing & ~(this.#hitsFrom[index] | this.#othersHits)) !== 0) return false;
    if (!this.#counts) return true;
    if (count + this.#requiredFrom[index] > max) return false;
    const written = used.size - new Set(excluded).size + (isPending ? 1 : 0);
    const others = this.#otherNames - (this.plan.others.length === 0 ? 0 : written);
    return others >= 0 && count + this.#knownFrom[index] + others >= min;
  }

  #place(phase: Phase, state: ObjectState): Place {
    const key = `${phase}${this.keyOf(state)}`;
    return this.places.get(key, (id) => new ObjectPlace(id, this, phase, state));
  }
}

function hitsOf(options: readonly Option[]): number {
  return options.reduce((all, { hits }) => all | hits, 0);
}

/**
 * `start`: before the brace. `open`: after it. `more`: after a comma. `spaced`: after a comma and a
 * space. `after`: after a value.
 */
type Phase = 'start' | 'open' | 'more' | 'spaced' | 'after';

class ObjectPlace extends Place {
  readonly #shape: ObjectShape;
  readonly #phase: Phase;
  readonly #state: ObjectState;

  constructor(id: number, shape: ObjectShape, phase: Phase, state: ObjectState) {
    super(id);
    this.#shape = shape;
    this.#phase = phase;
    this.#state = state;
  }

  protected findStep(byte: number): readonly Place[] {
    const shape = this.#shape;
    const state = this.#state;
    switch (this.#phase) {
      case 'start':
        return byte === 0x7b ? [shape.at('open', state)] : [];
      case 'open':
        if (byte === CLOSE) return shape.mayFinish(state) ? [END] : [];
        return byte === QUOTE ? this.#names() : [];
      case 'more':
        if (byte === SPACE) return [shape.at('spaced', state)];
        return byte === QUOTE ? this.#names() : [];
      case 'spaced':
        return byte === QUOTE ? this.#names() : [];
      case 'after':
        if (byte === CLOSE) return shape.mayFinish(state) ? [END] : [];
        return byte === COMMA && shape.mayGoOn(state) ? [shape.at('more', state)] : [];
    }
  }

  #names(): readonly Place[] {
    const shape = this.#shape;
    const state = this.#state;
    const found: Place[] = [];
    if (shape.mayWriteKnown(state, shape.names)) found.push(namePlace(shape, state, shape.names));
    for (const other of shape.others(state)) {
      const { names } = shape.plan.others[other];
      // While a name is not known yet no other can be told from it.
      if (state.isPending && names.kind === 'words') continue;
      const done = state.isPending
        ? NEVER
        : colonPlace(shape, { ...state, isPending: true }, { other });
      if (names.kind === 'words') {
        found.push(...wordNames(shape, names.words, state, other, done));
        continue;
      }
      const start = startOf(names, state.used);
      if (leadsOn(start)) found.push(StringPlace.at(shape.places, start, done));
    }
    return found;
  }
}

/** Other names, where they are counted out. */
function wordNames(
  shape: ObjectShape,
  words: readonly string[],
  state: ObjectState,
  other: number,
  done: Place,
): Place[] {
  const left = words.filter((word) => !isUsed(state.used, word));
  if (left.length === 0) return [];
  const trie = ByteTrie.of(left.map((word) => JSON.stringify(word).slice(1)));
  const key = `${shape.keyOf(state)},${other}`;
  return [LiteralPlace.at(shape.places, key, trie, done)];
}

function isUsed(used: NameSet, word: string): boolean {
  let set: NameSet | undefined = used;
  for (const character of word) set = set?.children.get(character.codePointAt(0) ?? 0);
  return set?.isEnd === true;
}

function namePlace(shape: ObjectShape, state: ObjectState, trie: ByteTrie): Place {
  const key = `n${shape.keyOf(state)},${trie.id}`;
  return shape.places.get(key, (id) => new NamePlace(id, shape, state, trie));
}

/** Within the name of a known property. */
class NamePlace extends Place {
  readonly #shape: ObjectShape;
  readonly #state: ObjectState;
  readonly #trie: ByteTrie;

  constructor(id: number, shape: ObjectShape, state: ObjectState, trie: ByteTrie) {
    super(id);
    this.#shape = shape;
    this.#state = state;
    this.#trie = trie;
  }

  protected findStep(byte: number): readonly Place[] {
    const child = this.#trie.children.get(byte);
    if (child === undefined || !this.#shape.mayWriteKnown(this.#state, child)) return [];
    if (!child.isEnd) return [namePlace(this.#shape, this.#state, child)];
    return [colonPlace(this.#shape, this.#state, { known: child.members[0] })];
  }
}

function colonPlace(shape: ObjectShape, state: ObjectState, which: Which): Place {
  const key = `:${shape.keyOf(state)},${'known' in which ? which.known : `o${which.other}`}`;
  return shape.places.get(key, (id) => new ColonPlace(id, shape, state, which));
}

/** Between a name and its value's colon. */
class ColonPlace extends Place implements Named {
  readonly #shape: ObjectShape;
  readonly #state: ObjectState;
  readonly #which: Which;

  constructor(id: number, shape: ObjectShape, state: ObjectState, which: Which) {
    super(id);
    this.#shape = shape;
    this.#state = state;
    this.#which = which;
  }

  get isNamed(): boolean {
    return this.#state.isPending;
  }

  named(name: string): Place {
    const used = this.#state.used.with(name);
    return colonPlace(this.#shape, { ...this.#state, used, isPending: false }, this.#which);
  }

  protected findStep(byte: number): readonly Place[] {
    return byte === COLON ? [valuePlace(this.#shape, this.#state, this.#which, false)] : [];
  }
}

function valuePlace(shape: ObjectShape, state: ObjectState, which: Which, spaced: boolean): Place {
  const key = `${spaced ? 'V' : 'v'}${shape.keyOf(state)},${'known' in which ? which.known : `o${which.other}`}`;
  return shape.places.get(key, (id) => new ValuePlace(id, shape, state, which, spaced));
}

/** Before the value of a property, with or without a space. */
class ValuePlace extends Place {
  readonly #shape: ObjectShape;
  readonly #state: ObjectState;
  readonly #which: Which;
  readonly #spaced: boolean;

  constructor(id: number, shape: ObjectShape, state: ObjectState, which: Which, spaced: boolean) {
    super(id);
    this.#shape = shape;
    this.#state = state;
    this.#which = which;
    this.#spaced = spaced;
  }

  override get takesBytes(): boolean {
    return !this.#spaced;
  }

  protected override findCalls() {
    const shape = this.#shape;
    return shape.options(this.#state, this.#which).map(({ value, next }) => ({
      starts: shape.values.starts(value),
      after: shape.at('after', next),
    }));
  }

  protected findStep(byte: number): readonly Place[] {
    if (this.#spaced || byte !== SPACE) return [];
    return [valuePlace(this.#shape, this.#state, this.#which, true)];
  }
}

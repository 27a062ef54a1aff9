import type { Pace } from '../pace';
import { atOnce, inSlices, type Sliced } from '../sliced';
import type { Alphabet } from './alphabet';

/** No way on: what comes cannot be completed to a text of the language. */
export const DEAD = -1;

/** What a `Dfa` is made of; states that lead nowhere may still be among them. */
export interface DfaTable {
  alphabet: Alphabet;
  /** At `state * alphabet.size + class`: the state after it, or DEAD. State 0 is the start. */
  next: ArrayLike<number>;
  /** By state: 1 where a text may end. */
  accepting: ArrayLike<number>;
}

/**
 * A regular language of code points, as a deterministic automaton. From each of its states some
 * text of the language can still be completed, so a prefix is good exactly where its state is not
 * DEAD. The start is state 0, or DEAD where the language is empty.
 */
export class Dfa {
  readonly alphabet: Alphabet;
  readonly next: Int32Array;
  readonly accepting: Uint8Array;
  readonly start: number;
  #shortest: Float64Array | undefined;
  #longest: Float64Array | undefined;
  #isEndless: boolean | undefined;
  #furthest: number | undefined;
  /** By length, up to what was asked for: the states from which a text of that length is left. */
  #lengths: Uint8Array[] | undefined;

  /** Of few states: it is made at once. */
  constructor({ alphabet, next, accepting }: DfaTable, live?: LiveStates) {
    const { start, ...kept } = live ?? atOnce(liveStates(next, accepting, alphabet.size));
    this.alphabet = alphabet;
    this.start = start;
    this.next = kept.next;
    this.accepting = kept.accepting;
  }

  /** Of any number of states, in slices, and ready to be asked for lengths. */
  static async of(table: DfaTable, pace: Pace): Promise<Dfa> {
    const { alphabet, next, accepting } = table;
    const live = await inSlices(liveStates(next, accepting, alphabet.size), pace);
    const dfa = new Dfa(table, live);
    await inSlices(dfa.#measuring(), pace);
    return dfa;
  }

  get size(): number {
    return this.accepting.length;
  }

  get isEmpty(): boolean {
    return this.start === DEAD;
  }

  /** Whether every text is in the language. */
  get isEverything(): boolean {
    return this.size === 1 && this.accepting[0] === 1 && this.next.every((state) => state === 0);
  }

  step(state: number, codePoint: number): number {
    const one = this.alphabet.classOf(codePoint);
    return one < 0 ? DEAD : this.next[state * this.alphabet.size + one];
  }

  has(text: string): boolean {
    let state = this.start;
    for (let i = 0; i < text.length && state !== DEAD; i++) {
      const code = text.codePointAt(i) ?? 0;
      if (code > 0xffff) i++;
      state = this.step(state, code);
    }
    return state !== DEAD && this.accepting[state] === 1;
  }

  /** By state: the fewest code points that complete a text. */
  get shortest(): Float64Array {
    this.#shortest ??= atOnce(this.#distances());
    return this.#shortest;
  }

  /** By state: the most code points that complete a text; Infinity where there is no most. */
  get longest(): Float64Array {
    this.#longest ??= atOnce(this.#heights());
    return this.#longest;
  }

  /** From every state there is no longest text. */
  get isEndless(): boolean {
    this.#isEndless ??= this.longest.every((length) => length === Infinity);
    return this.#isEndless;
  }

  /** The most code points that the shortest way to an end takes from some state. */
  get furthest(): number {
    this.#furthest ??= this.shortest.reduce((most, length) => Math.max(most, length), 0);
    return this.#furthest;
  }

  /**
   * Whether a text can be completed from `state` by `min` to `max` code points. Where both bounds
   * bind, `prepareLengths` must have been called.
   */
  completes(state: number, min: number, max: number): boolean {
    if (min > max || this.shortest[state] > max) return false;
    if (this.shortest[state] >= min) return true;
    if (this.longest[state] < min) return false;
    if (this.longest[state] <= max || max === Infinity) return true;
    if (this.#lengths === undefined) return true; // one state that takes everything
    for (let length = min; length <= max; length++) {
      if (this.#lengths[length][state] === 1) return true;
    }
    return false;
  }

  /** Makes `completes` ready for texts of up to `max` code points. */
  async prepareLengths(max: number, pace: Pace): Promise<void> {
    if (this.isEverything || (this.#lengths?.length ?? 0) > max) return;
    const lengths = this.#lengths ?? [this.accepting];
    const { size } = this.alphabet;
    while (lengths.length <= max) {
      pace.spend(this.next.length / 16 + 1);
      if (pace.due) await pace.rest();
      const before = lengths[lengths.length - 1];
      const row = new Uint8Array(this.size);
      for (let i = 0; i < this.next.length; i++) {
        if (this.next[i] !== DEAD && before[this.next[i]] === 1) row[Math.floor(i / size)] = 1;
      }
      lengths.push(row);
    }
    this.#lengths = lengths;
  }

  /** How many texts of `min` to `max` code points complete from `state`, counted up to `limit`. */
  count(state: number, min: number, max: number, limit: number): number {
    const leads = (from: number, length: number) =>
      from !== DEAD && this.completes(from, Math.max(0, min - length), max - length);
    if (limit <= 0 || !leads(state, 0)) return 0;
    if (limit === 1 || (max === Infinity && this.longest[state] === Infinity)) return limit;
    const { size } = this.alphabet;
    const sizes = this.alphabet.sizes();
    let complete = 0;
    // By state, in how many ways it is reached by so many code points; each leads to a text at least.
    let reached = new Map([[state, 1]]);
    for (let length = 0; reached.size > 0; length++) {
      const further = new Map<number, number>();
      let ways = 0;
      for (const [from, count] of reached) {
        if (length >= min) complete += count * this.accepting[from];
        for (let i = 0; i < size && length < max; i++) {
          const to = this.next[from * size + i];
          if (!leads(to, length + 1)) continue;
          further.set(to, (further.get(to) ?? 0) + count * sizes[i]);
          ways += count * sizes[i];
        }
      }
      if (complete + ways >= limit) return limit;
      reached = further;
    }
    return complete;
  }

  *#measuring(): Sliced<void> {
    const sources = yield* sourcesOf(this.next, this.size, this.alphabet.size);
    this.#shortest = yield* this.#distances(sources);
    this.#longest = yield* this.#heights(sources);
  }

  *#distances(known?: Sources): Sliced<Float64Array> {
    const sources = known ?? (yield* sourcesOf(this.next, this.size, this.alphabet.size));
    const distances = new Float64Array(this.size).fill(Infinity);
    const reached: number[] = [];
    this.accepting.forEach((accepts, state) => {
      if (!accepts) return;
      distances[state] = 0;
      reached.push(state);
    });
    for (let i = 0; i < reached.length; i++) {
      if (i % REST_EVERY === 0) yield;
      const state = reached[i];
      for (let at = sources.ends[state]; at < sources.ends[state + 1]; at++) {
        const source = sources.states[at];
        if (distances[source] < Infinity) continue;
        distances[source] = distances[state] + 1;
        reached.push(source);
      }
    }
    return distances;
  }

  *#heights(known?: Sources): Sliced<Float64Array> {
    const sources = known ?? (yield* sourcesOf(this.next, this.size, this.alphabet.size));
    const heights = new Float64Array(this.size).fill(Infinity);
    const best = new Float64Array(this.size);
    const open = new Uint32Array(this.size);
    for (const source of sources.states) open[source]++;
    const ready: number[] = [];
    open.forEach((count, state) => {
      if (count === 0) ready.push(state);
    });
    let done = 0;
    for (let state = ready.pop(); state !== undefined; state = ready.pop()) {
      if (++done % REST_EVERY === 0) yield;
      heights[state] = best[state];
      for (let at = sources.ends[state]; at < sources.ends[state + 1]; at++) {
        const source = sources.states[at];
        best[source] = Math.max(best[source], heights[state] + 1);
        if (--open[source] === 0) ready.push(source);
      }
    }
    return heights;
  }
}

/** States between two rests. */
const REST_EVERY = 2048;

/** Which states lead to a state: those from `ends[state]` to `ends[state + 1]`, one for each way. */
interface Sources {
  states: Int32Array;
  ends: Int32Array;
}

function* sourcesOf(next: ArrayLike<number>, count: number, size: number): Sliced<Sources> {
  const ends = new Int32Array(count + 2);
  for (let i = 0; i < count * size; i++) {
    if (i % (REST_EVERY * 8) === 0) yield;
    if (next[i] !== DEAD) ends[next[i] + 2]++;
  }
  for (let state = 2; state < ends.length; state++) ends[state] += ends[state - 1];
  const states = new Int32Array(ends[count + 1]);
  // Each moves to where the next one's begin, as they are filled.
  for (let i = 0; i < count * size; i++) {
    if (i % (REST_EVERY * 8) === 0) yield;
    if (next[i] !== DEAD) states[ends[next[i] + 1]++] = Math.floor(i / size);
  }
  return { states, ends };
}

/** The states that are reached and lead on, under new numbers, from 0. */
interface LiveStates {
  start: number;
  next: Int32Array;
  accepting: Uint8Array;
}

function* liveStates(
  next: ArrayLike<number>,
  accepting: ArrayLike<number>,
  size: number,
): Sliced<LiveStates> {
  const count = accepting.length;
  const sources = yield* sourcesOf(next, count, size);
  const leadsOn = new Uint8Array(count);
  const open: number[] = [];
  for (let state = 0; state < count; state++) if (accepting[state]) open.push(state);
  for (let i = 0; i < open.length; i++) {
    if (i % REST_EVERY === 0) yield;
    const state = open[i];
    leadsOn[state] = 1;
    for (let at = sources.ends[state]; at < sources.ends[state + 1]; at++) {
      const source = sources.states[at];
      if (leadsOn[source]) continue;
      leadsOn[source] = 1;
      open.push(source);
    }
  }
  if (count === 0 || !leadsOn[0]) {
    return { start: DEAD, next: new Int32Array(0), accepting: new Uint8Array(0) };
  }
  const numbers = new Int32Array(count).fill(DEAD);
  numbers[0] = 0;
  const reached = [0];
  const ways: number[] = [];
  for (let i = 0; i < reached.length; i++) {
    if (i % REST_EVERY === 0) yield;
    for (let j = 0; j < size; j++) {
      const target = next[reached[i] * size + j];
      const leads = target !== DEAD && leadsOn[target] === 1;
      if (leads && numbers[target] === DEAD) {
        numbers[target] = reached.length;
        reached.push(target);
      }
      ways.push(leads ? numbers[target] : DEAD);
    }
  }
  return {
    start: 0,
    next: Int32Array.from(ways),
    accepting: Uint8Array.from(reached, (state) => accepting[state]),
  };
}

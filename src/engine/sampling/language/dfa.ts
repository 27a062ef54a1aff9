import type { Pace } from '../pace';
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

  constructor({ alphabet, next, accepting }: DfaTable) {
    const kept = liveStates(next, accepting, alphabet.size);
    this.alphabet = alphabet;
    this.start = kept[0] ?? DEAD;
    const states: number[] = [];
    kept.forEach((number, state) => {
      if (number !== DEAD) states[number] = state;
    });
    this.next = new Int32Array(states.length * alphabet.size);
    this.accepting = Uint8Array.from(states, (state) => accepting[state]);
    states.forEach((state, number) => {
      for (let i = 0; i < alphabet.size; i++) {
        const target = next[state * alphabet.size + i];
        this.next[number * alphabet.size + i] = target === DEAD ? DEAD : kept[target];
      }
    });
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
    this.#shortest ??= this.#distances();
    return this.#shortest;
  }

  /** By state: the most code points that complete a text; Infinity where there is no most. */
  get longest(): Float64Array {
    this.#longest ??= this.#heights();
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

  #distances(): Float64Array {
    const distances = new Float64Array(this.size).fill(Infinity);
    const sources = this.#sources();
    let level: number[] = [];
    this.accepting.forEach((accepts, state) => {
      if (accepts) level.push(state);
    });
    for (let distance = 0; level.length > 0; distance++) {
      const further: number[] = [];
      for (const state of level) {
        if (distances[state] <= distance) continue;
        distances[state] = distance;
        further.push(...sources[state]);
      }
      level = further;
    }
    return distances;
  }

  #heights(): Float64Array {
    const heights = new Float64Array(this.size).fill(Infinity);
    const best = new Float64Array(this.size);
    const sources = this.#sources();
    const open = new Uint32Array(this.size);
    for (const list of sources) for (const source of list) open[source]++;
    const ready: number[] = [];
    open.forEach((count, state) => {
      if (count === 0) ready.push(state);
    });
    for (let state = ready.pop(); state !== undefined; state = ready.pop()) {
      heights[state] = best[state];
      for (const source of sources[state]) {
        best[source] = Math.max(best[source], heights[state] + 1);
        if (--open[source] === 0) ready.push(source);
      }
    }
    return heights;
  }

  /** By state: those that lead to it, each once. */
  #sources(): number[][] {
    return sourcesOf(this.next, this.size, this.alphabet.size);
  }
}

function sourcesOf(next: ArrayLike<number>, states: number, size: number): number[][] {
  const sources: number[][] = Array.from({ length: states }, () => []);
  for (let state = 0; state < states; state++) {
    for (let i = 0; i < size; i++) {
      const target = next[state * size + i];
      if (target !== DEAD && sources[target][sources[target].length - 1] !== state) {
        sources[target].push(state);
      }
    }
  }
  return sources;
}

/** New numbers for the states that are reached and lead on, from 0; DEAD for the others. */
function liveStates(next: ArrayLike<number>, accepting: ArrayLike<number>, size: number): number[] {
  const states = accepting.length;
  const sources = sourcesOf(next, states, size);
  const leadsOn = new Uint8Array(states);
  const open: number[] = [];
  for (let state = 0; state < states; state++) if (accepting[state]) open.push(state);
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (leadsOn[state]) continue;
    leadsOn[state] = 1;
    open.push(...sources[state]);
  }
  const numbers: number[] = new Array(states).fill(DEAD);
  if (states === 0 || !leadsOn[0]) return numbers;
  numbers[0] = 0;
  const reached = [0];
  for (let i = 0; i < reached.length; i++) {
    for (let j = 0; j < size; j++) {
      const target = next[reached[i] * size + j];
      if (target === DEAD || !leadsOn[target] || numbers[target] !== DEAD) continue;
      numbers[target] = reached.length;
      reached.push(target);
    }
  }
  return numbers;
}

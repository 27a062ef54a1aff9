/**
 * The softmax of a row of logits, and draws from its nucleus (top_p), without sorting the vocabulary.
 *
 * Each token's distance below the likeliest, in scaled logits, becomes a whole-number key of 2^-20
 * (float32 logits of 16 and more are coarser). exp(-key) is a table entry for its high bits times a
 * short series for its low ones. A histogram over the keys' high bits says in which bucket a
 * cumulative probability is passed, a second one over the low bits narrows a crowded bucket, and only
 * what is left is sorted. A few passes over the row, whatever its shape; nothing is allocated.
 */

/** Tokens further below the likeliest have no mass: V·e^-28 is 1e-7, what float32 can tell. */
const CUTOFF = 28;
const KEYS_PER_UNIT = 2 ** 20;
const LOW_BITS = 13;
const LOW_MASK = 2 ** LOW_BITS - 1;
const BUCKETS = Math.ceil((CUTOFF * KEYS_PER_UNIT) / 2 ** LOW_BITS);
/** A bucket with more tokens than this is split once more. */
const CROWDED = 256;
/** The key of a token without mass. */
const NONE = -1;

const HIGH_EXP = Float64Array.from({ length: BUCKETS }, (_, high) =>
  Math.exp(-(high * 2 ** LOW_BITS) / KEYS_PER_UNIT),
);

/** exp of a key's low bits, which are below 1/128: three terms of its series are right to 1e-7. */
function lowExp(key: number): number {
  const x = (key & LOW_MASK) / KEYS_PER_UNIT;
  return 1 - x + (x * x) / 2;
}

/** What a walk down the probabilities looks for. Masses are relative to the likeliest token's. */
interface Goal {
  mass: number;
  /** Stop where the cumulative mass reaches the goal; otherwise only where it passes it. */
  reach: boolean;
}

export class Distribution {
  readonly #keys: Int32Array;
  readonly #mass = new Float64Array(BUCKETS);
  readonly #counts = new Int32Array(BUCKETS);
  readonly #lowMass = new Float64Array(LOW_MASK + 1);
  readonly #group: Int32Array;
  #logits: Float32Array = new Float32Array();
  #max = 0;
  #scale = 1;
  #total = 0;
  /** The cumulative mass up to and with the token where the last walk ended. */
  #walked = 0;

  constructor(vocabSize: number) {
    this.#keys = new Int32Array(vocabSize);
    this.#group = new Int32Array(vocabSize);
  }

  /** Takes a row, whose largest logit is `max` (finite), at a temperature above 0. */
  fit(logits: Float32Array, max: number, temperature: number): void {
    const scale = 1 / temperature;
    const keys = this.#keys;
    const mass = this.#mass.fill(0);
    const counts = this.#counts.fill(0);
    for (let i = 0; i < logits.length; i++) {
      const distance = (max - logits[i]) * scale;
      if (distance < CUTOFF) {
        const key = (distance * KEYS_PER_UNIT) | 0;
        const bucket = key >> LOW_BITS;
        keys[i] = key;
        mass[bucket] += lowExp(key);
        counts[bucket]++;
      } else {
        keys[i] = NONE;
      }
    }
    let total = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      mass[bucket] *= HIGH_EXP[bucket];
      total += mass[bucket];
    }
    this.#logits = logits;
    this.#max = max;
    this.#scale = scale;
    this.#total = total;
  }

  /** Natural logarithm of a token's probability; -Infinity where it was masked. */
  logprob(token: number): number {
    return (this.#logits[token] - this.#max) * this.#scale - Math.log(this.#total);
  }

  /**
   * The token at `uniform`, in [0, 1), of the cumulative probabilities, likeliest first (of equal
   * ones the lower id first), of the smallest set that reaches `topP`, in (0, 1].
   *
   * As TVM's `sample_top_p_from_logits` and the GPU's `sample_with_top_p`: a token is in the set
   * while the sum before it is below topP, and the first whose cumulative share passes is drawn.
   * With `topK` there are only so many tokens, the likeliest, and topP is of their mass.
   */
  draw(topP: number, uniform: number, topK = Number.POSITIVE_INFINITY): number {
    let kept = this.#massOfLikeliest(topK);
    if (topP < 1) {
      this.#walk({ mass: topP * kept, reach: true });
      kept = this.#walked;
    }
    return this.#walk({ mass: uniform * kept, reach: false });
  }

  #massOfLikeliest(count: number): number {
    if (count >= this.#logits.length) return this.#total;
    let left = count;
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS && left > 0; bucket++) {
      if (this.#counts[bucket] > left) {
        this.#collect(bucket << LOW_BITS, ~LOW_MASK);
        for (let g = 0; g < left; g++) sum += this.#massOf(this.#group[g]);
        return sum;
      }
      left -= this.#counts[bucket];
      sum += this.#mass[bucket];
    }
    return sum;
  }

  /** Of a token that has mass. */
  #massOf(token: number): number {
    const key = this.#keys[token];
    return HIGH_EXP[key >> LOW_BITS] * lowExp(key);
  }

  #walk(goal: Goal): number {
    const [bucket, before] = find(this.#mass, 0, goal);
    if (this.#counts[bucket] <= CROWDED) {
      return this.#walkGroup(this.#collect(bucket << LOW_BITS, ~LOW_MASK), before, goal);
    }
    const lowMass = this.#lowMass.fill(0);
    const keys = this.#keys;
    for (let i = 0; i < this.#logits.length; i++) {
      const low = keys[i] & LOW_MASK;
      if (keys[i] >> LOW_BITS === bucket) lowMass[low] += HIGH_EXP[bucket] * lowExp(low);
    }
    const [low, beforeLow] = find(lowMass, before, goal);
    return this.#walkGroup(this.#collect((bucket << LOW_BITS) | low, ~0), beforeLow, goal);
  }

  /** Gathers the tokens whose keys agree with `key` under `mask`, likeliest first; returns how many. */
  #collect(key: number, mask: number): number {
    const keys = this.#keys;
    const group = this.#group;
    let size = 0;
    for (let i = 0; i < this.#logits.length; i++) {
      if ((keys[i] & mask) === key) group[size++] = i;
    }
    sortByLogit(group, size, this.#logits);
    return size;
  }

  #walkGroup(size: number, before: number, goal: Goal): number {
    let sum = before;
    for (let g = 0; g < size; g++) {
      const token = this.#group[g];
      sum += this.#massOf(token);
      this.#walked = sum;
      if (goal.reach ? sum >= goal.mass : sum > goal.mass) return token;
    }
    return this.#group[size - 1]; // rounding: the goal is the group's whole
  }
}

/** The entry where the cumulative mass meets the goal, and the sum before it. */
function find(masses: Float64Array, before: number, goal: Goal): [number, number] {
  let sum = before;
  let last = 0;
  let beforeLast = before;
  for (let i = 0; i < masses.length; i++) {
    if (masses[i] === 0) continue;
    last = i;
    beforeLast = sum;
    sum += masses[i];
    if (goal.reach ? sum >= goal.mass : sum > goal.mass) break;
  }
  return [last, beforeLast];
}

/** Sorts the first `size` token ids by logit, largest first; ids that tie stay in order. */
function sortByLogit(tokens: Int32Array, size: number, logits: Float32Array): void {
  let sorted = true;
  for (let i = 1; i < size && sorted; i++) sorted = logits[tokens[i - 1]] >= logits[tokens[i]];
  if (!sorted) tokens.subarray(0, size).sort((a, b) => logits[b] - logits[a] || a - b);
}

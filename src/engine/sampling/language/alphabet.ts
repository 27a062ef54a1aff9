import { ANY, type CodePoints } from './code-points';

/**
 * Code points parted into classes that an automaton does not tell apart. Class 0 holds those that
 * are in none of the sets the alphabet was made of, if there are such.
 */
export class Alphabet {
  /** Classes are 0 to `size` - 1. */
  readonly size: number;
  /** Where a run of one class begins, ascending; the first is 0. */
  readonly starts: readonly number[];
  /** The class of the run that begins there; -1 for surrogates. */
  readonly classes: readonly number[];
  readonly #ascii = new Int16Array(128);

  private constructor(starts: readonly number[], classes: readonly number[], size: number) {
    this.starts = starts;
    this.classes = classes;
    this.size = size;
    for (let code = 0; code < 128; code++) this.#ascii[code] = this.#find(code);
  }

  /** The coarsest alphabet in which each of the sets is a union of classes. Takes n log n. */
  static of(sets: readonly CodePoints[]): Alphabet {
    const distinct = [...new Map([ANY, ...sets].map((set) => [set.join(), set])).values()];
    const changes: [at: number, set: number][] = [];
    distinct.forEach((set, number) => {
      for (let i = 0; i < set.length; i += 2)
        changes.push([set[i], number], [set[i + 1] + 1, number]);
    });
    changes.sort((a, b) => a[0] - b[0]);
    // Which sets a run is in, as a number: each time a set begins or ends the signature is looked up.
    const numbers = new Map<string, number>();
    const members = new Set<number>();
    const starts: number[] = [];
    const classes: number[] = [];
    for (let i = 0; i < changes.length; ) {
      const at = changes[i][0];
      for (; i < changes.length && changes[i][0] === at; i++) {
        const set = changes[i][1];
        if (!members.delete(set)) members.add(set);
      }
      if (at > 0x10ffff) break;
      starts.push(at);
      if (!members.has(0)) {
        classes.push(-1);
        continue;
      }
      const signature = [...members].sort((a, b) => a - b).join();
      const known = numbers.get(signature) ?? numbers.size;
      numbers.set(signature, known);
      classes.push(known);
    }
    return new Alphabet(starts, classes, numbers.size);
  }

  /** The class of a code point; -1 for a surrogate. */
  classOf(codePoint: number): number {
    return codePoint < 128 ? this.#ascii[codePoint] : this.#find(codePoint);
  }

  /** The classes of code points that ascend; 0xffff for surrogates. */
  classesOf(codePoints: Int32Array): Uint16Array {
    const found = new Uint16Array(codePoints.length);
    let run = 0;
    for (let i = 0; i < codePoints.length; i++) {
      while (run + 1 < this.starts.length && this.starts[run + 1] <= codePoints[i]) run++;
      found[i] = this.classes[run];
    }
    return found;
  }

  /** For each class, one of its code points. */
  representatives(): number[] {
    const found: number[] = new Array(this.size).fill(-1);
    this.classes.forEach((one, i) => {
      if (one >= 0 && found[one] < 0) found[one] = this.starts[i];
    });
    return found;
  }

  /** How many code points each class holds. */
  sizes(): number[] {
    const counts: number[] = new Array(this.size).fill(0);
    this.classes.forEach((one, i) => {
      if (one >= 0) counts[one] += (this.starts[i + 1] ?? 0x110000) - this.starts[i];
    });
    return counts;
  }

  /** The classes that have a member between two code points, both included. */
  classesWithin(from: number, to: number): Set<number> {
    const found = new Set<number>();
    for (let i = this.#run(from); i < this.starts.length && this.starts[i] <= to; i++) {
      if (this.classes[i] >= 0) found.add(this.classes[i]);
    }
    return found;
  }

  /**
   * An alphabet that tells apart what either does, and for each of its classes the class in `this`
   * and in the other.
   */
  refinedBy(other: Alphabet): { alphabet: Alphabet; own: number[]; theirs: number[] } {
    const starts: number[] = [];
    const classes: number[] = [];
    const own: number[] = [];
    const theirs: number[] = [];
    const numbers = new Map<number, number>();
    let i = 0;
    let j = 0;
    for (let at = 0; at <= 0x10ffff; ) {
      while (i + 1 < this.starts.length && this.starts[i + 1] <= at) i++;
      while (j + 1 < other.starts.length && other.starts[j + 1] <= at) j++;
      const [a, b] = [this.classes[i], other.classes[j]];
      starts.push(at);
      if (a < 0 || b < 0) {
        classes.push(-1);
      } else {
        const key = a * other.size + b;
        const known = numbers.get(key) ?? numbers.size;
        numbers.set(key, known);
        [own[known], theirs[known]] = [a, b];
        classes.push(known);
      }
      at = Math.min(this.starts[i + 1] ?? 0x110000, other.starts[j + 1] ?? 0x110000);
    }
    return { alphabet: new Alphabet(starts, classes, numbers.size), own, theirs };
  }

  /** This alphabet with classes put together: `into[c]` is the new number of class c. */
  merged(into: readonly number[]): Alphabet {
    const classes = this.classes.map((one) => (one < 0 ? -1 : into[one]));
    const starts = this.starts.filter((_, i) => i === 0 || classes[i] !== classes[i - 1]);
    const kept = classes.filter((one, i) => i === 0 || one !== classes[i - 1]);
    return new Alphabet(starts, kept, Math.max(0, ...into.map((one) => one + 1)));
  }

  #find(codePoint: number): number {
    return this.classes[this.#run(codePoint)];
  }

  /** The run that a code point is in. */
  #run(codePoint: number): number {
    const { starts } = this;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= codePoint) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

import { END, type Place } from './place';
import { Recent } from './recent';
import { ACCEPT, type Stack, Stacks } from './stack';

/** All the places where a text may stand in its grammar, with the ways that led there. */
export class Configuration {
  readonly id: number;
  readonly threads: readonly Thread[];
  /** The text may end here. */
  readonly accepts: boolean;
  /** By byte: what it is known to lead to. */
  next: Map<number, Configuration> | undefined;

  constructor(id: number, threads: readonly Thread[], accepts: boolean) {
    this.id = id;
    this.threads = threads;
    this.accepts = accepts;
  }

  forget(): void {
    this.next = undefined;
  }
}

/** Configurations, of all grammars, that remember where bytes lead to. */
const RECENT = new Recent<Configuration>(16_384);

export interface Thread {
  readonly place: Place;
  readonly stack: Stack;
}

/** Configurations that are kept to be found again. */
const MAX_KEPT = 20_000;

/**
 * Follows texts byte by byte through a grammar: a pushdown automaton whose configurations are made
 * when they are first reached, and found again.
 */
export class Machine {
  readonly start: Configuration;
  readonly #stacks = new Stacks();
  readonly #known = new Map<string, Configuration>();
  #count = 0;

  constructor(starts: readonly Place[]) {
    const gathering = new Gathering(this.#stacks);
    for (const place of starts) gathering.add(place, this.#stacks.bottom);
    this.start = this.#configuration(gathering);
  }

  /** What a byte leads to; null where it may not come. */
  step(configuration: Configuration, byte: number): Configuration | null {
    const known = configuration.next?.get(byte);
    if (known !== undefined) return known;
    const found = this.#find(configuration, byte);
    if (found === null) return null; // that is soon found out again
    if (configuration.next === undefined) {
      configuration.next = new Map();
      RECENT.add(configuration);
    }
    configuration.next.set(byte, found);
    return found;
  }

  #find({ threads }: Configuration, byte: number): Configuration | null {
    let gathering: Gathering | undefined;
    for (const { place, stack } of threads) {
      const targets = place.step(byte);
      if (targets.length === 0) continue;
      gathering ??= new Gathering(this.#stacks);
      for (const target of targets) gathering.add(target, stack);
    }
    if (gathering === undefined) return null;
    const configuration = this.#configuration(gathering);
    return configuration.threads.length === 0 && !configuration.accepts ? null : configuration;
  }

  #configuration(gathering: Gathering): Configuration {
    return this.of(gathering.threads(), gathering.accepts);
  }

  /** The configuration of some threads. */
  of(threads: readonly Thread[], accepts: boolean): Configuration {
    const sorted =
      threads.length < 2 ? threads : [...threads].sort((a, b) => a.place.id - b.place.id);
    let key = accepts ? '!' : '';
    for (const { place, stack } of sorted) key += `${place.id},${stack.id};`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const configuration = new Configuration(this.#count++, sorted, accepts);
    if (this.#known.size >= MAX_KEPT) {
      // Those in use live on; they are only not found again.
      this.#known.clear();
      this.#stacks.clear();
    }
    this.#known.set(key, configuration);
    return configuration;
  }
}

/** Gathers the threads of a configuration: what ends is left, what begins is entered. */
class Gathering {
  accepts = false;
  readonly #stacks: Stacks;
  readonly #found = new Map<Place, Stack>();

  constructor(stacks: Stacks) {
    this.#stacks = stacks;
  }

  add(place: Place, stack: Stack): void {
    const before = this.#found.get(place);
    const both = before === undefined ? stack : this.#stacks.both(before, stack);
    if (both === before) return;
    this.#found.set(place, both);
    if (place.ends) {
      for (const one of stack.returns) {
        if (one === ACCEPT) this.accepts = true;
        else this.add(one.place, one.below);
      }
    }
    for (const one of place.also) this.add(one, stack);
    for (const { starts, after } of place.calls) {
      // What is over with what it calls need not be returned to.
      const inner = after === END ? both : this.#stacks.of([{ place: after, below: both }]);
      for (const start of starts) this.add(start, inner);
    }
  }

  threads(): Thread[] {
    const threads: Thread[] = [];
    for (const [place, stack] of this.#found) {
      // What only ends, or only begins others, takes no byte itself.
      if (place.takesBytes) threads.push({ place, stack });
    }
    return threads;
  }
}

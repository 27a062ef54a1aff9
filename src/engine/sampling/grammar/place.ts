import { Recent } from './recent';

const NO_PLACES: readonly Place[] = [];
/** Places, of all grammars, that remember where bytes lead to. */
const REMEMBERING = 16_384;

/**
 * A place within one construct of a grammar: what may come there, whatever is around the construct.
 * Places are made by a `Places`, each once, so that equal ones are the same object.
 */
export abstract class Place {
  static readonly #recent = new Recent<Place>(REMEMBERING);
  readonly id: number;
  #steps: Map<number, readonly Place[]> | undefined;
  #calls: readonly Call[] | undefined;

  constructor(id: number) {
    this.id = id;
  }

  /** The construct may end here. */
  get ends(): boolean {
    return false;
  }

  /** A byte may come here, rather than only an end or another construct's beginning. */
  get takesBytes(): boolean {
    return true;
  }

  /** Other places of the same construct that this one is, too. */
  get also(): readonly Place[] {
    return NO_PLACES;
  }

  /** Constructs that may begin here, and where this one goes on after each. */
  get calls(): readonly Call[] {
    this.#calls ??= this.findCalls();
    return this.#calls;
  }

  /** Where a byte leads to; nowhere if it may not come. */
  step(byte: number): readonly Place[] {
    const known = this.#steps?.get(byte);
    if (known !== undefined) return known;
    const found = this.findStep(byte);
    if (found.length === 0) return NO_PLACES; // that is soon found out again
    if (this.#steps === undefined) {
      this.#steps = new Map();
      Place.#recent.add(this);
    }
    this.#steps.set(byte, found);
    return found;
  }

  forget(): void {
    this.#steps = undefined;
  }

  protected findCalls(): readonly Call[] {
    return [];
  }

  protected abstract findStep(byte: number): readonly Place[];
}

export interface Call {
  /** Where the construct may begin. */
  readonly starts: readonly Place[];
  readonly after: Place;
}

/** Where a construct is over. */
class End extends Place {
  override get ends(): boolean {
    return true;
  }

  override get takesBytes(): boolean {
    return false;
  }

  protected findStep(): readonly Place[] {
    return [];
  }
}

/** Places that are kept to be found again. */
const MAX_KEPT = 50_000;

/** Where a construct is over, in every grammar. */
export const END: Place = new End(0);

/** Where nothing leads to. */
export const NEVER: Place = new (class extends Place {
  protected findStep(): readonly Place[] {
    return [];
  }
})(-1);

/** Makes the places of one grammar. */
export class Places {
  readonly #known = new Map<string, Place>();
  #count = 1;

  /** The place of a key; the key says all that `make` depends on. */
  get<T extends Place>(key: string, make: (id: number) => T): T {
    const known = this.#known.get(key);
    if (known !== undefined) return known as T;
    const place = make(this.#count++);
    if (this.#known.size >= MAX_KEPT) this.#known.clear(); // those in use live on
    this.#known.set(key, place);
    return place;
  }

  /** A place that is not kept. */
  fresh<T extends Place>(make: (id: number) => T): T {
    return make(this.#count++);
  }
}

import { yieldToEventLoop } from '../yield';
import { TooComplex } from './language/too-complex';

/** How long work may go on before everything else has its turn, ms. */
let sliceMs = 2;

/** Has work on this thread go on for so long, ms, at a time. */
export function setSliceMs(ms: number): void {
  sliceMs = ms;
}

/** Units of work between two looks at the clock. */
const LOOK_EVERY = 256;

/**
 * Paces a long computation: it works in slices of a few milliseconds, between which streams go on,
 * stops where its caller has gone, and fails once it has done more work than it may.
 */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  readonly #isUrgent: boolean;
  #left: number;
  #unitsToLook = LOOK_EVERY;
  #sliceEndMs = performance.now() + sliceMs;
  #due = false;

  /**
   * `budget` is in units of work: visits of a schema's parts, of an automaton's states. What is urgent
   * goes on before all that is not.
   */
  constructor(budget: number, signal?: AbortSignal, isUrgent = false) {
    this.#left = budget;
    this.#signal = signal;
    this.#isUrgent = isUrgent;
  }

  /** Counts work. Throws TooComplex where that is more than may be done. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new TooComplex('takes too much work');
    this.#unitsToLook -= units;
    if (this.#unitsToLook > 0) return;
    this.#unitsToLook = LOOK_EVERY;
    if (performance.now() >= this.#sliceEndMs) this.#due = true;
  }

  /** It is time to `rest`. */
  get due(): boolean {
    if (!this.#due && performance.now() >= this.#sliceEndMs) this.#due = true;
    return this.#due;
  }

  /** Gives everything else its turn. Throws the signal's reason where the caller has gone. */
  async rest(): Promise<void> {
    await turn(this.#isUrgent ? urgent : waiting);
    this.#signal?.throwIfAborted();
    this.#sliceEndMs = performance.now() + sliceMs;
    this.#due = false;
  }
}

/** Computations that wait for their turn. */
const waiting: (() => void)[] = [];
const urgent: (() => void)[] = [];
let isCalling = false;

/** Of all that wait here one goes on in each turn: however many there are, nobody waits for all. */
function turn(queue: (() => void)[]): Promise<void> {
  return new Promise((resolve) => {
    queue.push(resolve);
    if (!isCalling) void callAll();
  });
}

async function callAll(): Promise<void> {
  isCalling = true;
  while (urgent.length + waiting.length > 0) {
    await yieldToEventLoop();
    (urgent.shift() ?? waiting.shift())?.();
  }
  isCalling = false;
}

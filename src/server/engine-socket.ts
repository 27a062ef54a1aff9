import type { StepEngine, Tokenizer } from '../engine/step-engine';
import { alarm } from '../engine/within';
import {
  type EngineCapabilities,
  type EngineCapacity,
  type KvState,
  type SequenceSpec,
  type StepExecutor,
  type StepPlan,
  type StepResult,
  TempoError,
} from '../scheduler';

/** What a step may take beyond what is expected of it, ms: a GPU that does not answer is lost. */
export const STEP_PATIENCE_MS = 15_000;
/** An engine's first steps compile what they need, and may take this long, ms. */
export const FIRST_STEP_PATIENCE_MS = 60_000;
const FIRST_STEPS = 32;

/**
 * Where an engine is plugged in. The scheduler and its loop hold on to the socket, so that a lost
 * engine can be replaced under them. Once the device is lost every call throws `engine_lost`, the
 * step under way included, and whatever the old engine still does reaches nobody. A step that takes
 * far longer than it should is a lost device, too.
 */
export class EngineSocket implements StepExecutor {
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly kv: KvState;
  readonly tokenizer: Tokenizer;
  readonly #onLost: () => void;
  readonly #expectedMs: (plan: StepPlan) => number;
  #engine: StepEngine;
  /** Ends the call under way. */
  #cut: (error: TempoError) => void = () => {};
  #steps = 0;
  #lost: TempoError | undefined;

  /** `onLost` hears of a lost device; `expectedMs` says how long a step is to take. */
  constructor(engine: StepEngine, onLost: () => void, expectedMs: (plan: StepPlan) => number) {
    this.#engine = engine;
    this.#onLost = onLost;
    this.#expectedMs = expectedMs;
    this.#watch(engine);
    const current = () => this.#engine;
    this.capacity = forward(engine.capacity, () => current().capacity);
    this.capabilities = forward(engine.capabilities, () => current().capabilities);
    this.kv = {
      get freePages() {
        return current().kv.freePages;
      },
      get cachedPages() {
        return current().kv.cachedPages;
      },
      pagesOf: (sequenceId: string) => current().kv.pagesOf(sequenceId),
      matchPrefix: (tokens, group) => current().kv.matchPrefix(tokens, group),
    };
    this.tokenizer = {
      get vocabSize() {
        return current().model.tokenizer.vocabSize;
      },
      encode: (text) => current().model.tokenizer.encode(text),
      decode: (ids) => current().model.tokenizer.decode(ids),
      bytes: (id) => current().model.tokenizer.bytes?.(id),
    };
  }

  get engine(): StepEngine {
    return this.#engine;
  }

  /** Puts a new engine in the lost one's place. */
  plug(engine: StepEngine): void {
    this.#engine = engine;
    this.#lost = undefined;
    this.#steps = 0;
    this.#watch(engine);
  }

  /** The device is lost and not yet replaced. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** Throws `engine_lost` if the device is lost. */
  check(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  add(spec: SequenceSpec): { cachedTokens: number } {
    this.check();
    return this.#engine.add(spec);
  }

  /** An engine that cannot let go of a sequence is lost. */
  remove(sequenceId: string): void {
    if (this.#lost !== undefined) return;
    try {
      this.#engine.remove(sequenceId);
    } catch (thrown) {
      this.#lose(this.#engine, thrown);
    }
  }

  async swapOut(sequenceId: string): Promise<void> {
    try {
      await this.#answer(() => this.#engine.swapOut?.(sequenceId));
    } catch {
      this.check();
      this.remove(sequenceId); // it is computed again
    }
  }

  untilSettled(): Promise<void> | undefined {
    this.check();
    return this.#engine.untilSettled?.();
  }

  untilDrawable(sequenceId: string): Promise<void> | undefined {
    this.check();
    return this.#engine.untilDrawable?.(sequenceId);
  }

  async step(plan: StepPlan): Promise<StepResult> {
    const patience = this.#steps < FIRST_STEPS ? FIRST_STEP_PATIENCE_MS : STEP_PATIENCE_MS;
    const ms = patience + 20 * this.#expectedMs(plan);
    const result = await this.#answer(() => this.#engine.step(plan), ms);
    this.#steps++;
    return result;
  }

  /** What a call comes to, unless the device is lost meanwhile or does not answer within `ms`. */
  #answer<T>(call: () => T | Promise<T>, ms = FIRST_STEP_PATIENCE_MS): Promise<T> {
    this.check();
    const engine = this.#engine;
    return new Promise<T>((resolve, reject) => {
      const disarm = alarm(ms, () =>
        this.#lose(engine, `The GPU has not answered for ${Math.round(ms / 1000)} s.`),
      );
      this.#cut = reject;
      // A race with one promise for all steps would keep each of them.
      Promise.resolve().then(call).then(resolve, reject).finally(disarm);
    });
  }

  #watch(engine: StepEngine): void {
    const lose = (error: unknown) => this.#lose(engine, error);
    engine.lost.then(lose, lose);
  }

  #lose(engine: StepEngine, reason: unknown): void {
    if (this.#engine !== engine || this.#lost !== undefined) return;
    const error = TempoError.from(reason, 'engine_lost');
    // Whatever an engine calls it, to the server it is a lost device.
    this.#lost =
      error.code === 'engine_lost'
        ? error
        : new TempoError('engine_lost', error.message, { cause: error });
    this.#cut(this.#lost);
    this.#onLost();
  }
}

/** Throws `engine_failed` for numbers with which nothing could be planned. */
export function checkNumbers({ capacity, costs, model }: StepEngine): void {
  const { vocabSize } = model.tokenizer;
  for (const [name, value] of Object.entries({ ...costs, ...capacity, vocabSize })) {
    if (value >= (name in costs ? 0 : 1) && value < Number.POSITIVE_INFINITY) continue;
    throw new TempoError(
      'engine_failed',
      `The engine cannot be used: it says ${name} is ${value}.`,
    );
  }
}

/** An object with `sample`'s fields whose values are always `current`'s. */
function forward<T extends object>(sample: T, current: () => T): T {
  const target = { ...sample };
  for (const key in sample) {
    Object.defineProperty(target, key, { enumerable: true, get: () => current()[key] });
  }
  return target;
}

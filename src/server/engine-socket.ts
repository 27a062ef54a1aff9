import type { StepEngine, Tokenizer } from '../engine/step-engine';
import {
  type EngineCapabilities,
  type EngineCapacity,
  type KvState,
  type SequenceSpec,
  type StepExecutor,
  type StepPlan,
  type StepResult,
  TempoError,
  type TokenIds,
} from '../scheduler';

/**
 * Where an engine is plugged in. The scheduler and its loop hold on to the socket, so that a lost
 * engine can be replaced under them. Once the device is lost every call throws `engine_lost`, the
 * step under way included, and whatever the old engine still does reaches nobody.
 */
export class EngineSocket implements StepExecutor {
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly kv: KvState;
  readonly tokenizer: Tokenizer;
  readonly #admitted: (sequenceId: string, cachedTokens: number) => void;
  readonly #onLost: () => void;
  #engine: StepEngine;
  #cut: Promise<never>;
  #lost: TempoError | undefined;

  /** `admitted` hears how much of each sequence a cached prefix covered, `onLost` of a lost device. */
  constructor(
    engine: StepEngine,
    admitted: (sequenceId: string, cachedTokens: number) => void,
    onLost: () => void,
  ) {
    this.#engine = engine;
    this.#admitted = admitted;
    this.#onLost = onLost;
    this.#cut = this.#watch(engine);
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
      matchPrefix: (tokens: TokenIds) => current().kv.matchPrefix(tokens),
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
    this.#cut = this.#watch(engine);
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
    const result = this.#engine.add(spec);
    this.#admitted(spec.id, result.cachedTokens);
    return result;
  }

  remove(sequenceId: string): void {
    if (this.#lost === undefined) this.#engine.remove(sequenceId);
  }

  async swapOut(sequenceId: string): Promise<void> {
    this.check();
    await Promise.race([this.#engine.swapOut?.(sequenceId), this.#cut]);
  }

  untilDrawable(sequenceId: string): Promise<void> | undefined {
    this.check();
    return this.#engine.untilDrawable?.(sequenceId);
  }

  step(plan: StepPlan): Promise<StepResult> {
    this.check();
    return Promise.race([this.#engine.step(plan), this.#cut]);
  }

  #watch(engine: StepEngine): Promise<never> {
    const cut = engine.lost.then((error) => {
      const lost = asLoss(error);
      if (this.#engine === engine) {
        this.#lost = lost;
        this.#onLost();
      }
      throw lost;
    });
    cut.catch(() => {}); // between two steps there is none to reject
    return cut;
  }
}

/** Whatever an engine calls it, to the server a lost device is `engine_lost`. */
function asLoss(error: TempoError): TempoError {
  if (error.code === 'engine_lost') return error;
  return new TempoError('engine_lost', error.message, { cause: error });
}

/** An object with `sample`'s fields whose values are always `current`'s. */
function forward<T extends object>(sample: T, current: () => T): T {
  const target = { ...sample };
  for (const key in sample) {
    Object.defineProperty(target, key, { enumerable: true, get: () => current()[key] });
  }
  return target;
}

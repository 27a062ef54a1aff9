import {
  type Clock,
  type EngineCapabilities,
  type EngineCapacity,
  type KvState,
  type SampledToken,
  type SequenceSpec,
  type StepCosts,
  type StepExecutor,
  type StepPlan,
  type StepResult,
  TempoError,
  type TokenIds,
  VirtualClock,
} from '../../scheduler';
import { type DeviceProfile, stepMs } from './device-profiles';

/** Ends an answer. */
export const END_TOKEN = 0;

/** A clock that can wait. On a virtual clock waiting is free. */
export interface SimulationClock extends Clock {
  /** Lets `ms` go by. */
  sleep(ms: number): Promise<void>;
}

/** A virtual clock whose sleepers wake at once, `ms` later. */
export class SimulatedClock extends VirtualClock implements SimulationClock {
  async sleep(ms: number): Promise<void> {
    this.advance(ms);
  }
}

/** Chooses output token `index` of the sequence with this seed. */
export type Filler = (seed: number, index: number) => number;

export interface SimulatedExecutorOptions {
  profile: DeviceProfile;
  clock: SimulationClock;
  capabilities?: Partial<EngineCapabilities>;
  /** Without it every output token is 1. */
  filler?: Filler;
  /** Output length of a sequence that has no script, in tokens. */
  lengthOf?: (seed: number) => number;
}

interface Sequence {
  spec: SequenceSpec;
  /** Known tokens: the spec's and those sampled since. */
  known: number;
  computed: number;
}

/**
 * A step engine made of arithmetic: it keeps count of tokens and pages and lets the time go by that
 * the device profile's cost model says. Output comes from the script, or is filler.
 */
export class SimulatedExecutor implements StepExecutor {
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly kv: KvState;
  readonly profile: DeviceProfile;
  readonly #clock: SimulationClock;
  readonly #filler: Filler;
  readonly #lengthOf: (seed: number) => number;
  readonly #sequences = new Map<string, Sequence>();
  #usedPages = 0;

  constructor({ profile, clock, capabilities, filler, lengthOf }: SimulatedExecutorOptions) {
    this.profile = profile;
    this.#clock = clock;
    this.#filler = filler ?? (() => 1);
    this.#lengthOf = lengthOf ?? (() => 128);
    this.capacity = {
      maxSequences: profile.maxSequences,
      maxBatch: profile.maxBatch,
      totalPages: profile.totalPages,
      pageSize: profile.pageSize,
      contextWindow: profile.contextWindow,
      maxPrefillTokens: profile.maxPrefillTokens,
    };
    this.capabilities = {
      batchedDecode: true,
      continuedPrefill: true,
      mixedSteps: true,
      fork: true,
      truncate: true,
      ...capabilities,
    };
    const free = () => profile.totalPages - this.#usedPages;
    const held = (id: string) => this.#pages(this.#sequences.get(id)?.computed ?? 0);
    this.kv = {
      get freePages() {
        return free();
      },
      cachedPages: 0,
      pagesOf: held,
      matchPrefix: (_tokens: TokenIds) => 0,
    };
  }

  /** What the profile's roofline looks like to a linear cost model. */
  get costs(): StepCosts {
    const { overheadMs, weightsMs, computeMsPerToken, kvMsPerToken } = this.profile;
    return {
      baseMs: overheadMs + weightsMs,
      perDecodeMs: 0,
      perContextTokenMs: kvMsPerToken,
      perPrefillTokenMs: computeMsPerToken,
    };
  }

  add(spec: SequenceSpec): { cachedTokens: number } {
    if (this.#sequences.has(spec.id)) {
      throw new TempoError('engine_failed', `There is a sequence "${spec.id}" already.`);
    }
    if (this.#sequences.size >= this.capacity.maxSequences) {
      throw new TempoError(
        'engine_failed',
        `All ${this.capacity.maxSequences} sequences are taken.`,
      );
    }
    this.#sequences.set(spec.id, { spec, known: spec.tokens.length, computed: 0 });
    return { cachedTokens: 0 };
  }

  remove(sequenceId: string): void {
    const sequence = this.#sequences.get(sequenceId);
    if (sequence === undefined) return;
    this.#usedPages -= this.#pages(sequence.computed);
    this.#sequences.delete(sequenceId);
  }

  async step(plan: StepPlan): Promise<StepResult> {
    let tokens = 0;
    let contextTokens = 0;
    for (const work of plan.work) {
      const sequence = this.#sequence(work.sequenceId);
      if (!(work.tokens >= 1 && work.tokens <= sequence.known - sequence.computed)) {
        throw new TempoError(
          'engine_failed',
          `"${work.sequenceId}" has ${sequence.known - sequence.computed} tokens to compute, not ${work.tokens}.`,
        );
      }
      this.#usedPages +=
        this.#pages(sequence.computed + work.tokens) - this.#pages(sequence.computed);
      sequence.computed += work.tokens;
      tokens += work.tokens;
      contextTokens += sequence.computed;
    }
    if (this.#usedPages > this.capacity.totalPages) {
      throw new TempoError('engine_failed', 'The step needs more KV pages than there are.');
    }
    const startMs = this.#clock.now();
    await this.#clock.sleep(stepMs(this.profile, tokens, contextTokens));
    return { sampled: this.#sample(plan), durationMs: this.#clock.now() - startMs };
  }

  #sample(plan: StepPlan): Map<string, SampledToken> {
    const sampled = new Map<string, SampledToken>();
    for (const { sequenceId } of plan.work) {
      const sequence = this.#sequences.get(sequenceId);
      if (sequence === undefined || sequence.computed < sequence.known) continue;
      const index = sequence.known - sequence.spec.promptTokens;
      sampled.set(sequenceId, { token: this.#next(sequence.spec, index) });
      sequence.known++;
    }
    return sampled;
  }

  #next({ script, sampling }: SequenceSpec, index: number): number {
    const tokens = script?.tokens;
    const length = tokens?.length ?? script?.length ?? this.#lengthOf(sampling.seed);
    if (index >= length && !sampling.ignoreEos) return END_TOKEN;
    return tokens !== undefined && index < tokens.length
      ? tokens[index]
      : this.#filler(sampling.seed, index);
  }

  #sequence(id: string): Sequence {
    const sequence = this.#sequences.get(id);
    if (sequence === undefined)
      throw new TempoError('engine_failed', `There is no sequence "${id}".`);
    return sequence;
  }

  #pages(tokens: number): number {
    return Math.ceil(tokens / this.capacity.pageSize);
  }
}

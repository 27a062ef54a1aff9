import {
  type Clock,
  type EngineCapabilities,
  type EngineCapacity,
  type KvState,
  pagesFor,
  type SampledToken,
  type SequenceSpec,
  type StepCosts,
  type StepExecutor,
  type StepPlan,
  type StepResult,
  TempoError,
  uniformAt,
  VirtualClock,
} from '../../scheduler';
import { type PrefixMetrics, SequenceTable } from '../kv';
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
  tokens: number[];
  computed: number;
}

/** Finished sequences kept as cached prefixes. */
const MAX_KEPT = 64;

/**
 * A step engine made of arithmetic: it keeps count of tokens and pages, shares prefixes as a real
 * engine does, and lets the time go by that the device profile's cost model says. Output comes from
 * the script, or is filler.
 */
export class SimulatedExecutor implements StepExecutor {
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly profile: DeviceProfile;
  readonly #clock: SimulationClock;
  readonly #filler: Filler;
  readonly #lengthOf: (seed: number) => number;
  readonly #sequences = new Map<string, Sequence>();
  readonly #table: SequenceTable;

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
      ...capabilities,
    };
    this.#table = new SequenceTable({
      totalPages: profile.totalPages,
      pageSize: profile.pageSize,
      maxSequences: profile.maxSequences,
      maxKept: MAX_KEPT,
      sharing: true,
      sharesWithinPage: true,
      trims: true,
    });
  }

  get kv(): KvState {
    return this.#table;
  }

  get prefixMetrics(): Readonly<PrefixMetrics> {
    return this.#table.metrics;
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
    const computed = this.#table.add(spec.id, spec.tokens, spec.group);
    this.#sequences.set(spec.id, { spec, tokens: Array.from(spec.tokens), computed });
    return { cachedTokens: computed };
  }

  remove(sequenceId: string): void {
    this.#table.remove(sequenceId);
    this.#sequences.delete(sequenceId);
  }

  async step(plan: StepPlan): Promise<StepResult> {
    this.#check(plan);
    let tokens = 0;
    let contextTokens = 0;
    for (const work of plan.work) {
      const sequence = this.#sequence(work.sequenceId);
      const { computed } = sequence;
      this.#table.extend(work.sequenceId, sequence.tokens, computed, computed + work.tokens);
      sequence.computed += work.tokens;
      tokens += work.tokens;
      contextTokens += sequence.computed;
    }
    const startMs = this.#clock.now();
    await this.#clock.sleep(stepMs(this.profile, tokens, contextTokens));
    return { sampled: this.#sample(plan), durationMs: this.#clock.now() - startMs };
  }

  /** Nothing is done of a plan that cannot be done whole. */
  #check(plan: StepPlan): void {
    let pages = 0;
    for (const { sequenceId, tokens } of plan.work) {
      const { tokens: known, computed } = this.#sequence(sequenceId);
      const pending = known.length - computed;
      if (!(Number.isInteger(tokens) && tokens >= 1 && tokens <= pending)) {
        throw new TempoError(
          'engine_failed',
          `"${sequenceId}" has ${pending} tokens to compute, not ${tokens}.`,
        );
      }
      pages += this.#pages(computed + tokens) - this.#pages(computed);
    }
    if (pages > this.kv.freePages) {
      throw new TempoError('engine_failed', 'The step needs more KV pages than there are.');
    }
  }

  #sample(plan: StepPlan): Map<string, SampledToken> {
    const sampled = new Map<string, SampledToken>();
    for (const { sequenceId } of plan.work) {
      const sequence = this.#sequences.get(sequenceId);
      if (sequence === undefined || sequence.computed < sequence.tokens.length) continue;
      const index = sequence.tokens.length - sequence.spec.promptTokens;
      const token = this.#next(sequence.spec, index);
      sampled.set(sequenceId, this.#withLogprobs(sequence.spec, index, token));
      sequence.tokens.push(token);
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

  /** Where they are asked for, made up as the token is: it had some share, the next the same share of the rest. */
  #withLogprobs({ sampling }: SequenceSpec, index: number, token: number): SampledToken {
    const { seed, topLogprobs } = sampling;
    if (topLogprobs === undefined) return { token };
    const share = (1 + uniformAt(seed, index)) / 2;
    const others = new Set([token]);
    for (let i = 1; others.size < topLogprobs && i <= 4 * topLogprobs; i++) {
      others.add(this.#filler(seed, index + i));
    }
    const likeliest = [...others].slice(0, topLogprobs).map((other, rank) => ({
      token: other,
      logprob: Math.log(share * (1 - share) ** rank),
    }));
    return { token, logprob: Math.log(share), topLogprobs: likeliest };
  }

  #sequence(id: string): Sequence {
    const sequence = this.#sequences.get(id);
    if (sequence === undefined)
      throw new TempoError('engine_failed', `There is no sequence "${id}".`);
    return sequence;
  }

  #pages(tokens: number): number {
    return pagesFor(tokens, this.capacity.pageSize);
  }
}

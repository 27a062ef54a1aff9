import {
  type EngineCapabilities,
  type EngineCapacity,
  type GrammarSpec,
  type KvState,
  type Pixels,
  pagesFor,
  type SampledToken,
  type SequenceSpec,
  type StepCosts,
  type StepPlan,
  type StepResult,
  TempoError,
} from '../../scheduler';
import type { PrefixMetrics, SequenceTable } from '../kv';
import type { EngineStatus, LoadedModel, StepEngine } from '../step-engine';
import type { BatchModel } from './batch-model';
import { type Draw, prepareDraw, untilDrawable, untilSettled } from './draw';
import { EngineSequence } from './engine-sequence';
import type { ImageRows } from './image-rows';
import type { MlcPipeline, TvmTensor } from './internals';
import type { LazyGrammars } from './lazy-grammars';
import { Lifeline } from './lifeline';
import type { PendingDraws, RowSampler } from './row-sampler';
import { type StepMember, shareable, stepMembers } from './step-members';
import type { SwapSpace } from './swap-space';
import { SwappedSequences } from './swapped-sequences';

/** How long making masks may hold a step up: all of its rows' together, ms. */
const QUICK_MS = 2;

interface SwapParts {
  space: SwapSpace;
  /** Out and in again, ms a token, as measured. */
  msPerToken: number;
  /** CPU memory, bytes. */
  budgetBytes: number;
  bytesPerToken: number;
}

/** What loading found and made; the engine takes it over. */
export interface WebLlmParts {
  pipeline: MlcPipeline;
  batch: BatchModel;
  table: SequenceTable;
  sampler: RowSampler;
  /** Where the model takes images. */
  images: ImageRows | undefined;
  /** Where the runtime can copy pages out and in, and does so rightly. */
  swap: SwapParts | undefined;
  grammars: LazyGrammars;
  model: LoadedModel;
  status: EngineStatus;
  capacity: EngineCapacity;
  capabilities: EngineCapabilities;
  costs: StepCosts;
  /** Resolves when the GPU device is gone. */
  deviceLost: Promise<string>;
  /** Unloads WebLLM's engine. */
  unload: () => Promise<void>;
}

/** A forward's rows of logits, and whose they are. */
interface WantedRows {
  logits: TvmTensor;
  sequences: readonly EngineSequence[];
}

/** Their draws, under way. */
interface PendingRows {
  sequences: readonly EngineSequence[];
  rows: readonly (Draw | TempoError)[];
  draws: PendingDraws;
}

/** Where a step's time went, ms; sums since load. */
export interface StepTimes {
  steps: number;
  /** Pictures embedded before steps, and the time that took. */
  images: number;
  imageMs: number;
  /** Making and sending commands. */
  issueMs: number;
  /** Masks and tables prepared while the GPU was at work. */
  overlapMs: number;
  /** Waiting for the GPU. */
  waitMs: number;
  /** Reading and drawing on the CPU. */
  drawMs: number;
}

/** Continuous batching on WebLLM's weights. */
export class WebLlmEngine implements StepEngine {
  readonly model: LoadedModel;
  readonly status: EngineStatus;
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly costs: StepCosts;
  readonly kv: KvState;
  readonly lost: Promise<TempoError>;
  readonly times: StepTimes = {
    steps: 0,
    images: 0,
    imageMs: 0,
    issueMs: 0,
    overlapMs: 0,
    waitMs: 0,
    drawMs: 0,
  };
  readonly #parts: WebLlmParts;
  readonly #sequences = new Map<string, EngineSequence>();
  readonly #swapped: SwappedSequences;
  readonly #life: Lifeline;
  #stepping = false;
  /** Until then masks may be made before the next step begins. */
  #quickUntilMs: number | undefined;
  #disposal: Promise<void> | undefined;

  constructor(parts: WebLlmParts) {
    this.#parts = parts;
    this.model = parts.model;
    this.status = parts.status;
    this.capacity = parts.capacity;
    this.capabilities = parts.capabilities;
    this.costs = parts.costs;
    this.kv = parts.table;
    this.#swapped = new SwappedSequences(parts.swap?.budgetBytes ?? 0);
    this.#life = new Lifeline(parts.deviceLost);
    this.lost = this.#life.lost;
  }

  /** What prefix sharing saved. */
  get prefixMetrics(): Readonly<PrefixMetrics> {
    return this.#parts.table.metrics;
  }

  /** Pages that nothing holds, by our count and by the runtime's own. */
  get unheldPages(): { counted: number; available: number } {
    const { table, batch } = this.#parts;
    return { counted: table.unheldPages, available: batch.availablePages };
  }

  /** Throws invalid_schema where a request's grammar does not compile. */
  checkGrammar(spec: GrammarSpec, signal?: AbortSignal): Promise<void> {
    return this.#parts.grammars.check(spec, signal);
  }

  add(spec: SequenceSpec): { cachedTokens: number } {
    this.#life.check();
    const { length } = spec.tokens;
    if (length < 1 || length > this.capacity.contextWindow) {
      throw new TempoError(
        'context_length_exceeded',
        `"${spec.id}" has ${length} tokens; this engine takes 1 to ${this.capacity.contextWindow}.`,
      );
    }
    const { images } = this.#parts;
    if (spec.images?.length && images === undefined) {
      throw new TempoError('unsupported', `"${spec.id}" has images; this engine takes none.`);
    }
    const cachedTokens = this.#start(spec);
    this.#sequences.set(spec.id, new EngineSequence(spec, cachedTokens));
    return { cachedTokens };
  }

  /** Its pages come back from where they were swapped to, or from a prefix that is longer. */
  #start({ id, tokens, group }: SequenceSpec): number {
    const { table, swap } = this.#parts;
    const swapped = this.#swapped.take(id, tokens);
    const length = swapped?.tokens.length ?? 0;
    const pages = pagesFor(length, this.capacity.pageSize);
    if (swapped === undefined || swap === undefined || pages > table.freePages) {
      return table.add(id, tokens, group);
    }
    if (table.matchPrefix(tokens, group) >= length) return table.add(id, tokens, group);
    return this.#life.guard(() => {
      table.addEmpty(id, group);
      table.extend(id, tokens, 0, length);
      swap.space.copyIn(table.slotOf(id), swapped.pages);
      return length;
    });
  }

  async swapOut(sequenceId: string): Promise<void> {
    this.#life.check();
    const { swap, table } = this.#parts;
    const sequence = this.#sequence(sequenceId);
    const { pageSize } = this.capacity;
    // Whole pages: a part of one could only be had by copying it, and there may be no page to copy to.
    const tokens = Math.floor(sequence.computed / pageSize) * pageSize;
    const worthIt =
      swap !== undefined &&
      tokens > 0 &&
      swap.msPerToken < this.costs.perPrefillTokenMs &&
      this.#swapped.fits(tokens * swap.bytesPerToken);
    if (worthIt) {
      const pages = await this.#life.wait(swap.space.copyOut(table.slotOf(sequenceId), tokens));
      if (this.#sequences.get(sequenceId) !== sequence) return; // removed meanwhile
      this.#swapped.put(sequenceId, sequence.tokens.subarray(0, tokens), pages);
    }
    this.#release(sequenceId);
  }

  remove(sequenceId: string): void {
    this.#swapped.forget(sequenceId);
    this.#release(sequenceId);
  }

  #release(sequenceId: string): void {
    if (this.#life.ended) return;
    this.#sequences.get(sequenceId)?.dispose();
    this.#sequences.delete(sequenceId);
    this.#life.guard(() => this.#parts.table.remove(sequenceId));
  }

  untilSettled(): Promise<void> | undefined {
    return untilSettled([...this.#sequences.values()]);
  }

  untilDrawable(sequenceId: string): Promise<void> | undefined {
    const sequence = this.#sequences.get(sequenceId);
    if (sequence === undefined) return undefined;
    const { grammars, model } = this.#parts;
    this.#quickUntilMs ??= performance.now() + QUICK_MS;
    return untilDrawable(sequence, grammars, model.template.stop_token_ids, this.#quickUntilMs);
  }

  async step(plan: StepPlan): Promise<StepResult> {
    this.#life.check();
    if (this.#stepping) throw new TempoError('engine_failed', 'A step is under way already.');
    const members = stepMembers(plan, {
      capacity: this.capacity,
      capabilities: this.capabilities,
      freePages: this.kv.freePages,
      sequence: (id) => this.#sequence(id),
    });
    this.#quickUntilMs = undefined;
    this.#stepping = true;
    try {
      return await this.#run(members);
    } finally {
      this.#stepping = false;
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    this.#life.dispose();
    for (const sequence of this.#sequences.values()) sequence.dispose();
    this.#sequences.clear();
    const { sampler, batch, images, swap, unload } = this.#parts;
    for (const part of [sampler, swap?.space, images, batch]) quietly(() => part?.dispose());
    await unload().catch(() => {});
  }

  async #run(all: readonly StepMember[]): Promise<StepResult> {
    const { device } = this.#parts.pipeline;
    const beganMs = performance.now();
    const sees = all.some(({ sequence, tokens }) => sequence.nextImages(tokens).length > 0);
    const unseen = sees ? await this.#see(all) : NOBODY;
    const members = all.filter(
      ({ sequence }) => !unseen.has(sequence.id) && this.#sequences.get(sequence.id) === sequence,
    );
    const startMs = performance.now();
    if (members.length === 0) {
      return { sampled: new Map(), failed: unseen, durationMs: startMs - beganMs };
    }
    const pending: PendingRows[] = [];
    try {
      await this.#compute(members, pending);
      const waitedMs = performance.now();
      await this.#life.wait(device.sync());
      const readMs = performance.now();
      const results = this.#handOut(pending);
      const endMs = performance.now();
      this.times.steps++;
      this.times.waitMs += readMs - waitedMs;
      this.times.drawMs += endMs - readMs;
      const failed = new Map([...unseen, ...(results.failed ?? [])]);
      return { ...results, failed, durationMs: endMs - startMs };
    } catch (error) {
      // Lost in the middle, or no row of logits is of use: the cache cannot be relied on.
      throw this.#life.lose(error instanceof Error ? error.message : String(error));
    } finally {
      for (const { sequences, draws } of pending) {
        quietly(() => draws.dispose());
        // A matcher may have been made for one that was removed meanwhile.
        for (const sequence of sequences) {
          if (this.#sequences.get(sequence.id) !== sequence) sequence.dispose();
        }
      }
    }
  }

  /**
   * Embeds the pictures that the step is the first to need, before it begins: a step's time is to say what
   * tokens cost. Returns the sequences that cannot be computed, and why.
   */
  async #see(members: readonly StepMember[]): Promise<ReadonlyMap<string, TempoError>> {
    const { images, pipeline } = this.#parts;
    if (images === undefined) return NOBODY; // such sequences are not taken
    const unseen = new Map<string, TempoError>();
    const needed = new Set<Pixels>();
    const before = performance.now();
    for (const { sequence, tokens } of members) {
      for (const { pixels } of sequence.nextImages(tokens)) {
        needed.add(pixels);
        if (images.has(pixels)) continue;
        try {
          this.#life.guard(() => images.embed(pixels));
          this.times.images++;
        } catch (thrown) {
          this.#life.check();
          unseen.set(sequence.id, TempoError.from(thrown));
        }
      }
    }
    await this.#life.wait(pipeline.device.sync());
    this.#life.guard(() => images.trim(needed));
    this.times.imageMs += performance.now() - before;
    return unseen;
  }

  /** Issues a step's commands, forwards and draws; none need have run yet when this resolves. */
  async #compute(members: readonly StepMember[], pending: PendingRows[]): Promise<void> {
    const { pipeline, sampler, grammars, model } = this.#parts;
    const startMs = performance.now();
    pipeline.tvm.beginScope();
    try {
      const forwards = this.#issue(members);
      const issuedMs = performance.now();
      // From here the GPU works; what sampling needs is prepared meanwhile.
      void pipeline.device.sync().catch(() => {});
      for (const { logits, sequences } of forwards) {
        const rows = await Promise.all(
          sequences.map((sequence) =>
            prepareDraw(sequence, grammars, model.template.stop_token_ids),
          ),
        );
        this.#life.check();
        const draws = this.#life.guard(() => sampler.issue(logits, rows));
        pending.push({ sequences, rows, draws });
      }
      this.times.issueMs += issuedMs - startMs;
      this.times.overlapMs += performance.now() - issuedMs;
    } finally {
      if (!this.#life.ended) pipeline.tvm.endScope();
    }
  }

  /** Hands each sequence its token. Throws where no row of logits is of use. */
  #handOut(pending: readonly PendingRows[]): Pick<StepResult, 'sampled' | 'failed'> {
    const drawn = pending.flatMap(({ sequences, rows, draws }) => {
      const tokens = draws.read();
      return sequences.map((sequence, i) => ({ sequence, row: rows[i], token: tokens[i] }));
    });
    const useless = drawn.flatMap(({ row, token }) =>
      token instanceof TempoError && token !== row ? token : [],
    );
    const prepared = drawn.filter(({ row }) => !(row instanceof TempoError));
    if (useless.length > 0 && useless.length === prepared.length) throw useless[0];

    const sampled = new Map<string, SampledToken>();
    const failed = new Map<string, TempoError>();
    for (const { sequence, token } of drawn) {
      if (this.#sequences.get(sequence.id) !== sequence) continue; // removed meanwhile
      try {
        if (token instanceof TempoError) throw token;
        sequence.sampling?.accept(token.token);
        sequence.append(token.token);
        sampled.set(sequence.id, token);
      } catch (thrown) {
        failed.set(sequence.id, TempoError.from(thrown));
      }
    }
    return { sampled, failed };
  }

  /**
   * Issues the step's forwards: one, as a rule. Members that start alike wait for the first of them
   * and share what it computed (many answers to one prompt; one system prompt in a burst).
   */
  #issue(members: readonly StepMember[]): WantedRows[] {
    const { table } = this.#parts;
    const forwards: WantedRows[] = [];
    const first: StepMember[] = [];
    const later: StepMember[] = [];
    for (const member of members) {
      const { sequence } = member;
      // Less than a page is not worth a look, which keeps decodes cheap.
      const shares =
        member.tokens >= this.capacity.pageSize &&
        table.lateMatch(sequence.id, sequence.tokens, shareable(member)) > 0;
      if (shares) later.push(member);
      else first.push(this.#extended(member));
    }
    for (const round of [first, later]) {
      if (round === later) {
        for (const member of round) {
          const { sequence } = member;
          const end = sequence.computed + member.tokens;
          const limit = shareable(member);
          sequence.computed = this.#life.guard(() =>
            table.rematch(sequence.id, sequence.tokens, limit),
          );
          member.tokens = end - sequence.computed;
          this.#extended(member);
        }
      }
      const computing = round.filter(({ tokens }) => tokens > 0);
      if (computing.length === 0) continue;
      const logits = this.#forward(computing);
      const sequences = computing.filter(({ draws }) => draws).map(({ sequence }) => sequence);
      if (logits !== undefined) forwards.push({ logits, sequences });
    }
    return forwards;
  }

  /** Takes the pages for a member's tokens. */
  #extended(member: StepMember): StepMember {
    const { sequence, tokens } = member;
    this.#life.guard(() =>
      this.#parts.table.extend(
        sequence.id,
        sequence.tokens,
        sequence.computed,
        sequence.computed + tokens,
      ),
    );
    return member;
  }

  #forward(members: readonly StepMember[]): TvmTensor | undefined {
    const { batch, table, images } = this.#parts;
    const logits = this.#life.guard(() =>
      batch.forward(
        members.map(({ sequence, tokens, draws }) => ({
          slot: table.slotOf(sequence.id),
          tokens: sequence.next(tokens),
          images: sequence.nextImages(tokens),
          wanted: draws,
        })),
        images,
      ),
    );
    for (const { sequence, tokens } of members) sequence.computed += tokens;
    return logits;
  }

  #sequence(id: string): EngineSequence {
    const sequence = this.#sequences.get(id);
    if (sequence === undefined) {
      throw new TempoError('engine_failed', `There is no sequence "${id}".`);
    }
    return sequence;
  }
}

const NOBODY: ReadonlyMap<string, TempoError> = new Map();

/** Frees what can be freed: on a lost device WebLLM has let go of everything itself, and throws. */
function quietly(free: () => void): void {
  try {
    free();
  } catch {
    // Nothing is left to free.
  }
}

import type { VirtualClock } from '../clock';
import {
  type EngineCapabilities,
  type EngineCapacity,
  type KvState,
  pagesFor,
  type SampledToken,
  type SequenceSpec,
  type StepExecutor,
  type StepPlan,
  type StepResult,
} from '../executor';
import type { StepCosts } from '../predict/cost-model';

export interface CountingEngineOptions {
  clock: VirtualClock;
  capacity?: Partial<EngineCapacity>;
  capabilities?: Partial<EngineCapabilities>;
  costs?: StepCosts;
}

interface Sequence {
  known: number;
  promptTokens: number;
  computed: number;
}

const COSTS: StepCosts = {
  baseMs: 12,
  perDecodeMs: 0.1,
  perContextTokenMs: 0.0001,
  perPrefillTokenMs: 0.08,
};

/**
 * For tests and benchmarks of the scheduler: an engine that counts tokens and pages, lets the clock
 * go by, and throws at whatever an engine could not do.
 */
export class CountingEngine implements StepExecutor {
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly costs: StepCosts;
  readonly kv: KvState;
  /** Tokens that admission finds computed though nobody said so beforehand, by sequence. */
  readonly found = new Map<string, number>();
  readonly #clock: VirtualClock;
  readonly #sequences = new Map<string, Sequence>();
  #usedPages = 0;

  constructor({ clock, capacity, capabilities, costs = COSTS }: CountingEngineOptions) {
    this.#clock = clock;
    this.costs = costs;
    this.capacity = {
      maxSequences: 8,
      maxBatch: 8,
      totalPages: 1024,
      pageSize: 16,
      contextWindow: 4096,
      maxPrefillTokens: 512,
      ...capacity,
    };
    this.capabilities = {
      batchedDecode: true,
      continuedPrefill: true,
      mixedSteps: true,
      ...capabilities,
    };
    const free = () => this.capacity.totalPages - this.#usedPages;
    this.kv = {
      get freePages() {
        return free();
      },
      cachedPages: 0,
      pagesOf: (id) => this.#pages(this.#sequences.get(id)?.computed ?? 0),
      matchPrefix: () => 0,
    };
  }

  /** Pages held, counted afresh. */
  get heldPages(): number {
    let pages = 0;
    for (const { computed } of this.#sequences.values()) pages += this.#pages(computed);
    return pages;
  }

  get sequences(): number {
    return this.#sequences.size;
  }

  add({ id, tokens, promptTokens }: SequenceSpec): { cachedTokens: number } {
    check(!this.#sequences.has(id), `${id} is resident already`);
    check(this.#sequences.size < this.capacity.maxSequences, 'all sequences are taken');
    const computed = this.found.get(id) ?? 0;
    this.#usedPages += this.#pages(computed);
    check(this.#usedPages <= this.capacity.totalPages, 'no pages for what was found');
    this.#sequences.set(id, { known: tokens.length, promptTokens, computed });
    return { cachedTokens: computed };
  }

  remove(id: string): void {
    const sequence = this.#sequences.get(id);
    if (sequence === undefined) return;
    this.#usedPages -= this.#pages(sequence.computed);
    this.#sequences.delete(id);
  }

  async step({ work }: StepPlan): Promise<StepResult> {
    const { batchedDecode, continuedPrefill, mixedSteps } = this.capabilities;
    const sampled = new Map<string, SampledToken>();
    let decodes = 0;
    let prefill = 0;
    let context = 0;
    for (const { sequenceId, tokens } of work) {
      const sequence = this.#sequences.get(sequenceId);
      if (sequence === undefined) throw new Error(`${sequenceId} is not resident`);
      const pending = sequence.known - sequence.computed;
      check(
        tokens >= 1 && tokens <= pending,
        `${sequenceId} has ${pending} pending, not ${tokens}`,
      );
      const decode = sequence.computed >= sequence.promptTokens && pending === 1;
      if (decode) decodes++;
      else {
        prefill += tokens;
        check(continuedPrefill || tokens === pending, 'a prompt was cut in chunks');
      }
      this.#usedPages += this.#pages(sequence.computed + tokens) - this.#pages(sequence.computed);
      sequence.computed += tokens;
      context += sequence.computed;
      if (sequence.computed === sequence.known) {
        sequence.known++;
        sampled.set(sequenceId, { token: 1 });
      }
    }
    check(work.length <= (batchedDecode ? this.capacity.maxBatch : 1), 'the batch is too large');
    check(mixedSteps || decodes === 0 || prefill === 0, 'prefill and decode share a step');
    check(this.#usedPages <= this.capacity.totalPages, 'more pages than there are');
    const c = this.costs;
    const durationMs =
      c.baseMs +
      c.perDecodeMs * decodes +
      c.perPrefillTokenMs * prefill +
      c.perContextTokenMs * context;
    this.#clock.advance(durationMs);
    return { sampled, durationMs };
  }

  #pages(tokens: number): number {
    return pagesFor(tokens, this.capacity.pageSize);
  }
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

import {
  type EngineCapabilities,
  type EngineCapacity,
  type GrammarSpec,
  type KvState,
  type SequenceSpec,
  type StepCosts,
  type StepPlan,
  type StepResult,
  TempoError,
  type TokenIds,
} from '../../scheduler';
import { Sampler } from '../sampling';
import type { EngineStatus, LoadedModel, StepEngine } from '../step-engine';
import { prepareDraw, untilDrawable } from './draw';
import { EngineSequence } from './engine-sequence';
import type { LazyGrammars } from './lazy-grammars';
import { Lifeline } from './lifeline';
import type { ImageFeed } from './serial-images';

/** The part of `MLCEngine`'s public API that serial serving uses. */
export interface SerialApi {
  /** Appends tokens to the one sequence that WebLLM holds, and samples; we do our own sampling. */
  forwardTokensAndSample(tokens: number[], isPrefill: boolean): Promise<number>;
  /** Empties that sequence. */
  resetChat(): Promise<void>;
}

export interface SerialParts {
  api: SerialApi;
  /** The logits of the last forward, as the logit processor saw them. */
  logits: LogitTap;
  /** Where the model takes images. */
  images: ImageFeed | undefined;
  grammars: LazyGrammars;
  model: LoadedModel;
  status: EngineStatus;
  /** Tokens. */
  contextWindow: number;
  deviceLost: Promise<string>;
  unload: () => Promise<void>;
}

/** A WebLLM `LogitProcessor` that only looks. */
export class LogitTap {
  last: Float32Array | undefined;

  processLogits = (logits: Float32Array): Float32Array => {
    this.last = logits.slice();
    return logits;
  };

  processSampledToken = (): void => {};

  resetState = (): void => {};
}

const PAGE_SIZE = 16;
const CHUNK = 512;

const NOTHING: Pick<StepResult, 'sampled' | 'failed'> = { sampled: new Map() };

/**
 * One request at a time, through WebLLM's public API alone: for models and versions that batched
 * serving does not work with. Prompts may still come in chunks, and a request that goes on where the
 * last one ended (the next turn of a chat) finds its history computed.
 */
export class SerialEngine implements StepEngine {
  readonly model: LoadedModel;
  readonly status: EngineStatus;
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities = {
    batchedDecode: false,
    continuedPrefill: true,
    mixedSteps: false,
  };
  readonly costs: StepCosts = {
    baseMs: 40,
    perDecodeMs: 0,
    perContextTokenMs: 0.001,
    perPrefillTokenMs: 0.5,
  };
  readonly kv: KvState;
  readonly lost: Promise<TempoError>;
  readonly #parts: SerialParts;
  readonly #sampler: Sampler;
  /** The tokens that WebLLM's sequence holds. An image that is computed in part is not among them. */
  #held: number[] = [];
  /** Whose they are. */
  #group: string | undefined;
  #sequence: EngineSequence | undefined;
  readonly #life: Lifeline;
  #stepping = false;
  #disposed = false;

  constructor(parts: SerialParts) {
    this.#parts = parts;
    this.model = parts.model;
    this.status = parts.status;
    this.#sampler = new Sampler(parts.model.tokenizer.vocabSize);
    const totalPages = Math.ceil(parts.contextWindow / PAGE_SIZE);
    this.capacity = {
      maxSequences: 1,
      maxBatch: 1,
      totalPages,
      pageSize: PAGE_SIZE,
      contextWindow: parts.contextWindow,
      maxPrefillTokens: CHUNK,
    };
    const pages = () => (this.#sequence === undefined ? 0 : pagesFor(this.#sequence.computed));
    const cached = () => (this.#sequence === undefined ? pagesFor(this.#held.length) : 0);
    const current = (id: string) => this.#sequence?.id === id;
    const match = (tokens: TokenIds, group?: string) => this.#match(tokens, group);
    this.kv = {
      get freePages() {
        return totalPages - pages();
      },
      get cachedPages() {
        return cached();
      },
      pagesOf: (id) => (current(id) ? pages() : 0),
      matchPrefix: match,
    };
    this.#life = new Lifeline(parts.deviceLost);
    this.lost = this.#life.lost;
  }

  checkGrammar(spec: GrammarSpec, signal?: AbortSignal): Promise<void> {
    return this.#parts.grammars.check(spec, signal);
  }

  add(spec: SequenceSpec): { cachedTokens: number } {
    this.#life.check();
    if (this.#sequence !== undefined) {
      throw new TempoError(
        'engine_failed',
        this.#sequence.id === spec.id
          ? `There is a sequence "${spec.id}" already.`
          : 'This engine serves one request at a time; see its status.',
      );
    }
    const { length } = spec.tokens;
    if (length < 1 || length > this.capacity.contextWindow) {
      throw new TempoError(
        'context_length_exceeded',
        `"${spec.id}" has ${length} tokens; this engine takes 1 to ${this.capacity.contextWindow}.`,
      );
    }
    if (spec.images?.length && this.#parts.images === undefined) {
      throw new TempoError('unsupported', `"${spec.id}" has images; this engine takes none.`);
    }
    const cachedTokens = this.#match(spec.tokens, spec.group);
    this.#sequence = new EngineSequence(spec, cachedTokens);
    return { cachedTokens };
  }

  remove(sequenceId: string): void {
    if (this.#sequence?.id !== sequenceId) return;
    this.#sequence.dispose();
    this.#sequence = undefined;
  }

  async step({ work }: StepPlan): Promise<StepResult> {
    this.#life.check();
    if (this.#stepping) throw new TempoError('engine_failed', 'A step is under way already.');
    const sequence = this.#sequence;
    const [member] = work;
    if (work.length !== 1 || sequence === undefined || sequence.id !== member.sequenceId) {
      throw new TempoError('engine_failed', 'A step of this engine has its one sequence in it.');
    }
    const { tokens } = member;
    if (!(Number.isInteger(tokens) && tokens >= 1 && tokens <= sequence.pending)) {
      throw new TempoError(
        'engine_failed',
        `"${sequence.id}" has ${sequence.pending} tokens to compute, not ${tokens}.`,
      );
    }
    this.#stepping = true;
    try {
      return await this.#life.wait(this.#run(sequence, tokens));
    } finally {
      this.#stepping = false;
    }
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#life.dispose();
    this.#sequence?.dispose();
    this.#sequence = undefined;
    await this.#parts.unload().catch(() => {});
  }

  async #run(sequence: EngineSequence, tokens: number): Promise<StepResult> {
    const { logits } = this.#parts;
    const startMs = performance.now();
    const draws = tokens === sequence.pending;
    if (sequence.computed === 0 && this.#held.length > 0) {
      await this.#parts.api.resetChat();
      this.#held = [];
    }
    logits.last = undefined;
    this.#group = sequence.spec.group;
    await this.#feed(sequence, sequence.computed + tokens);
    sequence.computed += tokens;
    const row: Float32Array | undefined = logits.last;
    if (draws && row === undefined) throw new Error('WebLLM did not show its logits.');
    const results = draws && row !== undefined ? await this.#draw(sequence, row) : NOTHING;
    return { ...results, durationMs: performance.now() - startMs };
  }

  /** Feeds a sequence's tokens up to `end`; an image, which WebLLM takes as a whole, when its last is due. */
  async #feed(sequence: EngineSequence, end: number): Promise<void> {
    const { api, images } = this.#parts;
    const feedText = async (to: number) => {
      const next = Array.from(sequence.tokens.subarray(this.#held.length, to));
      if (next.length > 0) await api.forwardTokensAndSample(next, next.length > 1);
      for (const token of next) this.#held.push(token);
    };
    for (const { at, rows, pixels } of sequence.spec.images ?? []) {
      if (at + rows <= this.#held.length) continue;
      if (at >= end) break;
      await feedText(at);
      if (at + rows > end) return;
      if (images === undefined || pixels === undefined) throw new Error('Images are not taken.');
      await images.feed(pixels, rows);
      for (const token of sequence.tokens.subarray(at, at + rows)) this.#held.push(token);
    }
    await feedText(end);
  }

  /** Draws and hands out the next token. Throws where the logits are of no use. */
  async #draw(
    sequence: EngineSequence,
    row: Float32Array,
  ): Promise<Pick<StepResult, 'sampled' | 'failed'>> {
    const { grammars, model } = this.#parts;
    const failed = (error: TempoError) => ({ ...NOTHING, failed: new Map([[sequence.id, error]]) });
    await untilDrawable(sequence, grammars, model.template.stop_token_ids, performance.now());
    const draw = await prepareDraw(sequence, grammars, model.template.stop_token_ids);
    if (this.#sequence !== sequence) {
      sequence.dispose(); // removed while its matcher was made
      return NOTHING;
    }
    if (draw instanceof TempoError) return failed(draw);
    const token = this.#sampler.sample(row, draw.sampling, draw.bitmask);
    try {
      draw.sampling.accept(token.token);
    } catch (thrown) {
      return failed(TempoError.from(thrown));
    }
    sequence.append(token.token);
    return { sampled: new Map([[sequence.id, token]]) };
  }

  /** What WebLLM holds is of use only as a whole: it cannot take tokens back. */
  #match(tokens: TokenIds, group: string | undefined): number {
    if (this.#sequence !== undefined || this.#group !== group) return 0;
    if (this.#held.length >= tokens.length) return 0;
    return this.#held.every((token, i) => tokens[i] === token) ? this.#held.length : 0;
  }
}

function pagesFor(tokens: number): number {
  return Math.ceil(tokens / PAGE_SIZE);
}

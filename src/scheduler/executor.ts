/**
 * The seam between the scheduler and whatever computes: plain data in, plain data out.
 * Engines implement `StepExecutor`; the scheduler and its loop know nothing else of them.
 */

import type { TempoError } from './errors';

export type TokenIds = ArrayLike<number>;

/** How the next token is drawn. Mirrors the OpenAI API's fields, plus WebLLM's extras. */
export interface SamplingParams {
  /** 0 is greedy. */
  temperature: number;
  /** In (0, 1]. */
  topP: number;
  /** Draw from so many of the likeliest tokens, at least 1. Default: all. */
  topK?: number;
  /** In [-2, 2]. */
  frequencyPenalty?: number;
  /** In [-2, 2]. */
  presencePenalty?: number;
  /** Above 0; 1 is none. */
  repetitionPenalty?: number;
  /** Token id to a value in [-100, 100]. */
  logitBias?: Readonly<Record<number, number>>;
  /** Report the sampled token's log probability, and this many of the likeliest ones' (0 to 20). */
  topLogprobs?: number;
  /** Draws depend on this and the token's position only, never on batch-mates. 32-bit integer. */
  seed: number;
  /** Tokens that end the answer are never drawn (WebLLM's ignore_eos). */
  ignoreEos?: boolean;
  /** Constrains the output. */
  grammar?: GrammarSpec;
}

/** What an output is. `path` is where it stands in its request, for errors. */
export type GrammarSpec =
  /** A JSON object or array. */
  | { type: 'json' }
  /** A JSON value. */
  | { type: 'json_schema'; schema: string; path?: string }
  /** A text that a regular expression matches as a whole. */
  | { type: 'regex'; pattern: string; path?: string }
  | { type: 'ebnf'; grammar: string }
  | { type: 'structural_tag'; tag: string };

/** A picture as a model is fed it: row by row from the top left; red, green and blue, a byte each. */
export interface Pixels {
  width: number;
  height: number;
  rgb: Uint8Array;
}

/** An image among a sequence's tokens. */
export interface SequenceImage {
  /** Where the tokens begin that stand for it. */
  at: number;
  /** How many they are: one for each row of the image's embedding. */
  rows: number;
  /** Undefined where the engine looks at none (a simulated one). */
  pixels: Pixels | undefined;
}

/** A sequence as it is handed to an engine. */
export interface SequenceSpec {
  id: string;
  /** Prompt, then whatever was generated before (after a drop or a device loss). */
  tokens: TokenIds;
  /** How many of `tokens` are the prompt. */
  promptTokens: number;
  /** The prompt's images, in order. */
  images?: readonly SequenceImage[];
  sampling: SamplingParams;
  /** Prefixes are shared with sequences of the same group alone. Default: one for all that name none. */
  group?: string;
  /** What a simulated engine is to say. Real engines ignore it. */
  script?: SimulationScript;
}

/** The simulated engine emits these tokens, or `length` tokens of filler, then an end token. */
export interface SimulationScript {
  tokens?: TokenIds;
  /** Output length in tokens, the end token not counted. */
  length?: number;
}

/** What an engine can hold; constant from load to dispose. */
export interface EngineCapacity {
  /** Sequences that may hold pages at once. */
  maxSequences: number;
  /** Sequences in one step. */
  maxBatch: number;
  /** KV pages in all. */
  totalPages: number;
  /** KV slots (tokens) a page. */
  pageSize: number;
  /** Longest prompt plus output, in tokens. */
  contextWindow: number;
  /** Prefill tokens in one step. */
  maxPrefillTokens: number;
}

/** Pages that so many tokens fill. */
export function pagesFor(tokens: number, pageSize: number): number {
  return Math.ceil(tokens / pageSize);
}

export interface EngineCapabilities {
  /** More than one sequence a step. */
  batchedDecode: boolean;
  /** A prompt may be computed in chunks over several steps. */
  continuedPrefill: boolean;
  /** Prefill and decode may share a step. */
  mixedSteps: boolean;
  /** A sequence's keys and values may go to CPU memory and come back; see `swapOut`. */
  swap?: boolean;
}

/** Sequences that a step may take. */
export function batchSize({
  capacity,
  capabilities,
}: Pick<StepExecutor, 'capacity' | 'capabilities'>): number {
  return capabilities.batchedDecode ? capacity.maxBatch : 1;
}

/** The engine's page accounting, live. The engine owns it; the scheduler only reads. */
export interface KvState {
  /** Pages that a sequence may take now; cached prefixes that would be evicted for it included. */
  readonly freePages: number;
  /** Pages kept only as cached prefixes (part of `freePages`). */
  readonly cachedPages: number;
  /** Pages that would become free if this resident sequence were removed (shared ones would not). */
  pagesOf(sequenceId: string): number;
  /** Tokens of `tokens` that `add` would find already computed, for a sequence of that group. */
  matchPrefix(tokens: TokenIds, group?: string): number;
}

/** One sequence's share of a step: compute its next `tokens` known tokens. 1 is a decode. */
export interface StepWork {
  sequenceId: string;
  tokens: number;
}

/** One forward pass. */
export interface StepPlan {
  work: readonly StepWork[];
}

export interface TokenLogprob {
  token: number;
  logprob: number;
}

export interface SampledToken {
  token: number;
  logprob?: number;
  topLogprobs?: TokenLogprob[];
}

export interface StepResult {
  /** For each sequence all of whose known tokens are now computed: the next token, by sequence id. */
  sampled: ReadonlyMap<string, SampledToken>;
  /**
   * Sequences whose next token could not be drawn, and why; the step is good for all others. The
   * engine takes no more work for them: they are to be removed.
   */
  failed?: ReadonlyMap<string, TempoError>;
  /** How long the step took, ms. */
  durationMs: number;
}

/** What the scheduler's loop drives. */
export interface StepExecutor {
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly kv: KvState;
  /**
   * Makes a sequence resident; nothing is computed yet. Returns how many of its tokens a cached
   * prefix already covers (always fewer than all of them: one must be left to sample from).
   */
  add(spec: SequenceSpec): { cachedTokens: number };
  /** Lets go of a sequence. Its pages are free, or kept as a cached prefix, before the next step. */
  remove(sequenceId: string): void;
  /**
   * Like `remove`, but the sequence's keys and values go to CPU memory, where that is cheaper than
   * computing them again; the next `add` of that id finds them. Only where `capabilities.swap`.
   */
  swapOut?(sequenceId: string): Promise<void>;
  /**
   * Before a step is planned: what is about to be there that sequences' next tokens are drawn with. It
   * resolves then, or after a moment of 2 ms at most; it never rejects. Undefined: there is nothing.
   */
  untilSettled?(): Promise<void> | undefined;
  /**
   * Whether a step may draw a sequence's next token now: undefined, at once. Else what that takes is
   * being made ready, and the promise resolves when the sequence may be in a step again; it never
   * rejects. An engine without it is always ready.
   */
  untilDrawable?(sequenceId: string): Promise<void> | undefined;
  /** Runs one forward pass and appends each sampled token to its sequence. */
  step(plan: StepPlan): Promise<StepResult>;
}

import { type SamplingParams, TempoError, type TokenIds, uniformAt } from '../../scheduler';
import type { GrammarMatcher } from './grammar/matcher';
import { TokenCounts } from './token-counts';

export interface SequenceSamplingOptions {
  sampling: SamplingParams;
  /** Generated before (the sequence was dropped, or its device lost); not the prompt. */
  generated?: TokenIds;
  /** Tokens that end an answer: the template's `stop_token_ids`. */
  stopTokens?: readonly number[];
  /** Standing after `generated` (see `Grammars.matcher`). */
  matcher?: GrammarMatcher;
}

/** What sampling remembers of one sequence. A CPU and a GPU sampler alike read it. */
export class SequenceSampling {
  readonly params: SamplingParams;
  /** Of the generated tokens only: WebLLM's penalties do not count the prompt. */
  readonly counts = new TokenCounts();
  /** Tokens of `logit_bias`, and beside them its values. */
  readonly biasTokens: Int32Array;
  readonly biases: Float32Array;
  /** Never drawn: the stop tokens of a request with ignore_eos. */
  readonly banned: readonly number[];
  readonly matcher: GrammarMatcher | undefined;
  #generated = 0;

  constructor(options: SequenceSamplingOptions) {
    const { sampling, generated = [], stopTokens = [], matcher } = options;
    this.params = sampling;
    this.matcher = matcher;
    this.banned = sampling.ignoreEos ? stopTokens : [];
    const entries = Object.entries(sampling.logitBias ?? {});
    this.biasTokens = Int32Array.from(entries, ([token]) => Number(token));
    this.biases = Float32Array.from(entries, ([, bias]) => bias);
    for (let i = 0; i < generated.length; i++) this.#count(generated[i]);
  }

  /** Tokens generated so far. */
  get generated(): number {
    return this.#generated;
  }

  get greedy(): boolean {
    return this.params.temperature < GREEDY_BELOW;
  }

  /** Whether penalties change anything for the next token. */
  get penalised(): boolean {
    const { frequencyPenalty = 0, presencePenalty = 0, repetitionPenalty = 1 } = this.params;
    if (this.counts.size === 0) return false;
    return frequencyPenalty !== 0 || presencePenalty !== 0 || repetitionPenalty !== 1;
  }

  /** The uniform number in [0, 1) that the next token is drawn with: seed and position, no more. */
  get uniform(): number {
    return uniformAt(this.params.seed, this.#generated);
  }

  /** The next token was drawn. Throws engine_failed where its grammar forbids it. */
  accept(token: number): void {
    const { matcher } = this;
    // Past its grammar's end an answer that ignores end tokens repeats them.
    if (matcher !== undefined && !matcher.accept(token) && !matcher.terminated) {
      throw new TempoError('engine_failed', `Token ${token} was drawn; its grammar forbids it.`);
    }
    this.#count(token);
  }

  #count(token: number): void {
    this.counts.add(token);
    this.#generated++;
  }
}

/** WebLLM raises lower temperatures to this, where the softmax is the argmax. */
const GREEDY_BELOW = 1e-6;

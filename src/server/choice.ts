import type { Tokenizer } from '../engine/step-engine';
import { type ReasonedText, TextStream } from '../engine/text';
import {
  type FinishReason,
  type Request,
  type SampledToken,
  type SamplingParams,
  type SequenceImage,
  type SequenceSpec,
  type SimulationScript,
  TempoError,
} from '../scheduler';
import type { ChoiceDelta, ChoiceLogprobs } from './chat-types';
import type { TokenLogprobs } from './token-logprobs';
import type { AnswerParser, ParsedText } from './tools';

/** What makes one choice of a request. */
export interface ChoiceSpec {
  index: number;
  /** The sequence's id in the scheduler and the engine. */
  requestId: string;
  promptTokens: Int32Array;
  /** The prompt's images. */
  images?: readonly SequenceImage[];
  sampling: SamplingParams;
  script?: SimulationScript;
  /** Tokens that end the answer. */
  stopTokens: ReadonlySet<number>;
  /** The template's strings that end it all, and are no part of it. */
  endStrings: readonly string[];
  /** The request's strings that end the answer, from its first word on. */
  stopStrings?: readonly string[];
  /** Whether the prompt ends inside a thinking model's reasoning; absent: none is looked for. */
  reasoningOpen?: boolean;
  /** Reasoning is told as content, as it was written. */
  keepsReasoning?: boolean;
  /** Text that the answer begins with, before anything that is drawn. */
  opening?: string;
  /** Tokens of the answer that were drawn, and told, before. */
  resumed?: readonly number[];
  /** Outputs tell token ids. */
  tellsTokens?: boolean;
  /** Finds the tool calls in the answer, where the request has tools. */
  toolCalls?: AnswerParser;
  /** Tells the log probabilities of the content, where the request asks for them. */
  logprobs?: TokenLogprobs;
}

export interface ChoiceOutput {
  delta: ChoiceDelta;
  logprobs?: ChoiceLogprobs;
  /** Set on the last output. */
  finishReason?: FinishReason;
}

/** One choice of a request: the tokens so far, and their way to text. */
export class Choice {
  readonly index: number;
  readonly requestId: string;
  /** The scheduler's request; undefined until it is submitted. */
  request: Request | undefined;
  /** Tokens drawn so far that are a thinking model's reasoning. */
  reasoningTokens = 0;
  readonly #spec: ChoiceSpec;
  readonly #text: TextStream;
  readonly #generated: number[] = [];
  #resumed = 0;
  /** Characters of the answer so far, calls included. */
  #length = 0;
  /** Characters of the reasoning so far. */
  #thought = 0;
  #started = false;

  constructor(spec: ChoiceSpec, tokenizer: Tokenizer) {
    this.index = spec.index;
    this.requestId = spec.requestId;
    this.#spec = spec;
    const { endStrings: ends, stopStrings: stop, reasoningOpen: open, keepsReasoning: kept } = spec;
    const reasoning = open === undefined ? undefined : { open, kept };
    this.#text = new TextStream({ tokenizer, ends, stop, reasoning });
    const { resumed = [] } = spec;
    for (const token of resumed) {
      if (this.take({ token }, resumed.length + 1)?.finishReason !== undefined) throw nothingLeft();
    }
    this.#resumed = resumed.length;
  }

  /** As an engine is to take it up, from the beginning or where it was interrupted. */
  sequence(): SequenceSpec {
    const { requestId, promptTokens, images, sampling, script } = this.#spec;
    const tokens = new Int32Array(promptTokens.length + this.#generated.length);
    tokens.set(promptTokens);
    tokens.set(this.#generated, promptTokens.length);
    return { id: requestId, tokens, promptTokens: promptTokens.length, images, sampling, script };
  }

  /** Takes a sampled token; returns what can be said now, and why it is finished if it is. */
  take(sampled: SampledToken, maxTokens: number): ChoiceOutput | undefined {
    this.#generated.push(sampled.token);
    const isStop = this.#spec.stopTokens.has(sampled.token) && !this.#spec.sampling.ignoreEos;
    const spoken = isStop ? EMPTY : this.#text.push(sampled.token);
    if (!isStop) this.#spec.logprobs?.add(sampled, this.#text.raw);
    if (this.#text.reasoning) this.reasoningTokens++;
    let finishReason: FinishReason | undefined;
    if (isStop || this.#text.stopped !== undefined) finishReason = 'stop';
    else if (this.#generated.length - this.#resumed >= maxTokens) finishReason = 'length';

    const delta: ChoiceDelta = {};
    if (!this.#started) {
      delta.role = 'assistant';
      if (this.#spec.opening) delta.content = this.#spec.opening;
      if (this.#spec.tellsTokens) delta.prompt_token_ids = [...this.#spec.promptTokens];
    }
    this.#started = true;
    if (this.#spec.tellsTokens) delta.token_ids = [sampled.token];
    this.#append(delta, spoken);
    if (finishReason !== undefined) {
      this.#append(delta, this.#text.finish());
      this.#spec.logprobs?.finish(this.#text.raw);
      const { toolCalls } = this.#spec;
      if (toolCalls !== undefined) appendParsed(delta, toolCalls.finish());
      if (finishReason === 'stop' && toolCalls?.toolCalls.length) finishReason = 'tool_calls';
    }
    const logprobs = this.#logprobs(finishReason !== undefined);
    const silent = Object.keys(delta).length === 0;
    if (silent && logprobs === undefined && finishReason === undefined) return undefined;
    return { delta, logprobs, finishReason };
  }

  #append(delta: ChoiceDelta, { reasoning, content }: ReasonedText): void {
    if (reasoning !== '') {
      const field = this.#spec.keepsReasoning ? 'content' : 'reasoning_content';
      delta[field] = (delta[field] ?? '') + reasoning;
    }
    this.#thought += reasoning.length;
    this.#length += content.length;
    appendParsed(delta, this.#spec.toolCalls?.push(content) ?? { content, toolCalls: [] });
  }

  #logprobs(all: boolean): ChoiceLogprobs | undefined {
    const { logprobs, toolCalls, keepsReasoning } = this.#spec;
    const spoken = toolCalls?.spoken ?? [[0, this.#length]];
    if (!keepsReasoning) return logprobs?.take(spoken, this.#text.contentStart ?? 0, all);
    const thought = this.#thought;
    const spans = spoken.map(([from, to]) => [thought + from, thought + to] as const);
    return logprobs?.take([[0, thought], ...spans], 0, all);
  }
}

/** What an answer that is complete is refused with where it is to go on. */
export function nothingLeft(): TempoError {
  return new TempoError(
    'invalid_request',
    'The answer is complete with these tokens: there is nothing to go on with.',
    { param: 'generated_token_ids' },
  );
}

const EMPTY: ReasonedText = { reasoning: '', content: '' };

function appendParsed(delta: ChoiceDelta, { content, toolCalls }: ParsedText): void {
  if (content !== '') delta.content = (delta.content ?? '') + content;
  if (toolCalls.length > 0) delta.tool_calls = [...(delta.tool_calls ?? []), ...toolCalls];
}

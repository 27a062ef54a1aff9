import type { Tokenizer } from '../engine/step-engine';
import { type Span, WrittenTokens } from '../engine/text/written-tokens';
import type { SampledToken } from '../scheduler';
import type { ChoiceLogprobs } from './chat-types';

/**
 * The log probabilities of an answer's words: of the tokens that its content is made of, so that their
 * bytes, one after another, are the content. Reasoning, calls and stop strings have none. Loaded when a
 * request asks for them.
 */
export class TokenLogprobs {
  readonly #tokenizer: Tokenizer;
  readonly #simulated: boolean;
  readonly #written = new WrittenTokens<SampledToken>();

  constructor(tokenizer: Tokenizer, simulated: boolean) {
    this.#tokenizer = tokenizer;
    this.#simulated = simulated;
  }

  /** A token was drawn, which added `text` to all that came before. */
  add(sampled: SampledToken, text: string): void {
    this.#written.add(sampled, this.#bytesOf(sampled.token), text);
  }

  /** The last that came of the tokens. */
  finish(text: string): void {
    this.#written.finish(text);
  }

  /**
   * What is to be told now. `spans` are the content so far, in characters of the content and all that lies
   * between; it begins at `start` of the text. `all`: nothing more will come.
   */
  take(spans: readonly Span[], start: number, all: boolean): ChoiceLogprobs | undefined {
    const stretches = spans.map(([from, to]) => [start + from, start + to] as const);
    const content = this.#written.take(stretches, all).flatMap(({ token: sampled, bytes }) => {
      if (sampled.logprob === undefined) return [];
      const own = this.#bytesOf(sampled.token);
      // Where the space before a text is none, it is none for the others either.
      const first = own.length === bytes.length + 1 && own[0] === SPACE ? 1 : 0;
      const top = (sampled.topLogprobs ?? []).map(({ token, logprob }) => {
        const other = this.#bytesOf(token);
        return entry(other[0] === SPACE ? other.subarray(first) : other, logprob);
      });
      return [{ ...entry(bytes, sampled.logprob), top_logprobs: top }];
    });
    if (content.length === 0) return undefined;
    return this.#simulated ? { content, simulated: true } : { content };
  }

  #bytesOf(token: number): Uint8Array {
    return (
      this.#tokenizer.bytes?.(token) ?? new TextEncoder().encode(this.#tokenizer.decode([token]))
    );
  }
}

const SPACE = 32;

function entry(bytes: Uint8Array, logprob: number) {
  return { token: textOf(bytes), bytes: [...bytes], logprob };
}

/** Bytes that are no whole characters are written as OpenAI has them: `\xf0\x9f`. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const letter = (byte: number) =>
      byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`;
    return Array.from(bytes, letter).join('');
  }
}

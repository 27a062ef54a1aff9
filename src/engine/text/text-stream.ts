import type { Tokenizer } from '../step-engine';
import { Detokenizer } from './detokenizer';
import { KeptReasoning } from './kept-reasoning';
import { type ReasonedText, type ReasoningOptions, ReasoningSplitter } from './reasoning';
import { StopStrings } from './stop-strings';

export interface TextStreamOptions {
  tokenizer: Pick<Tokenizer, 'decode'>;
  /** The template's stop strings: they end everything, reasoning too. */
  ends?: readonly string[];
  /** The request's stop strings: they sleep until the reasoning is over. */
  stop?: readonly string[];
  /** Part reasoning from content. Without it everything is content. */
  reasoning?: ReasoningOptions;
}

/** One answer's way from tokens to text: characters made whole, stop strings cut, reasoning apart. */
export class TextStream {
  readonly #detokenizer: Detokenizer;
  readonly #ends: StopStrings;
  readonly #stops: StopStrings;
  readonly #reasoning: ReasoningSplitter | KeptReasoning | undefined;
  /** What the last token, or the end, added to the text, before anything is cut or held back. */
  raw = '';

  constructor({ tokenizer, ends = [], stop = [], reasoning }: TextStreamOptions) {
    this.#detokenizer = new Detokenizer(tokenizer);
    this.#ends = new StopStrings(ends);
    this.#stops = new StopStrings(stop);
    const Reasoning = reasoning?.kept ? KeptReasoning : ReasoningSplitter;
    this.#reasoning = reasoning === undefined ? undefined : new Reasoning(reasoning);
  }

  /** The stop string that ended the answer. The caller stops generating when it is set. */
  get stopped(): string | undefined {
    return this.#ends.stopped ?? this.#stops.stopped;
  }

  /** What has come so far ends inside the reasoning. */
  get reasoning(): boolean {
    return this.#reasoning?.open ?? false;
  }

  /** Where in the text the content begins, characters; undefined until it does. It is contiguous. */
  get contentStart(): number | undefined {
    return this.#reasoning === undefined ? 0 : this.#reasoning.contentStart;
  }

  push(token: number): ReasonedText {
    this.raw = this.#detokenizer.push(token);
    const { reasoning, content } = this.#split(this.#ends.push(this.raw));
    return { reasoning, content: this.#stops.push(content) };
  }

  /** The end: everything held back. */
  finish(): ReasonedText {
    this.raw = this.#detokenizer.finish();
    const last = this.#split(this.#ends.push(this.raw) + this.#ends.finish());
    const held = this.#reasoning?.finish() ?? { reasoning: '', content: '' };
    return {
      reasoning: last.reasoning + held.reasoning,
      content: this.#stops.push(last.content + held.content) + this.#stops.finish(),
    };
  }

  #split(text: string): ReasonedText {
    return this.#reasoning?.push(text) ?? { reasoning: '', content: text };
  }
}

import type { Tokenizer } from '../step-engine';
import { Detokenizer } from './detokenizer';
import { type ReasonedText, type ReasoningOptions, ReasoningSplitter } from './reasoning';
import { StopStrings } from './stop-strings';

export interface TextStreamOptions {
  tokenizer: Pick<Tokenizer, 'decode'>;
  /** The template's and the request's stop strings. */
  stop?: readonly string[];
  /** Part reasoning from content. Without it everything is content. */
  reasoning?: ReasoningOptions;
}

/** One answer's way from tokens to text: characters made whole, stop strings cut, reasoning apart. */
export class TextStream {
  readonly #detokenizer: Detokenizer;
  readonly #stops: StopStrings;
  readonly #reasoning: ReasoningSplitter | undefined;

  constructor({ tokenizer, stop = [], reasoning }: TextStreamOptions) {
    this.#detokenizer = new Detokenizer(tokenizer);
    this.#stops = new StopStrings(stop);
    this.#reasoning = reasoning === undefined ? undefined : new ReasoningSplitter(reasoning);
  }

  /** The stop string that ended the answer. The caller stops generating when it is set. */
  get stopped(): string | undefined {
    return this.#stops.stopped;
  }

  /** What has come so far ends inside the reasoning. */
  get reasoning(): boolean {
    return this.#reasoning?.open ?? false;
  }

  push(token: number): ReasonedText {
    return this.#split(this.#stops.push(this.#detokenizer.push(token)));
  }

  /** The end: everything held back. */
  finish(): ReasonedText {
    const text = this.#stops.push(this.#detokenizer.finish()) + this.#stops.finish();
    const last = this.#split(text);
    if (this.#reasoning === undefined) return last;
    const held = this.#reasoning.finish();
    return { reasoning: last.reasoning + held.reasoning, content: last.content + held.content };
  }

  #split(text: string): ReasonedText {
    return this.#reasoning?.push(text) ?? { reasoning: '', content: text };
  }
}

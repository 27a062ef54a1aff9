import { type ReasonedText, type ReasoningOptions, ReasoningSplitter } from './reasoning';

/**
 * Parts a thinking model's answer where its content begins, and leaves everything as it was written:
 * tags and white space belong to the reasoning.
 */
export class KeptReasoning {
  readonly #splitter: ReasoningSplitter;
  #held = '';
  /** Characters given out. */
  #given = 0;

  constructor(options: ReasoningOptions = {}) {
    this.#splitter = new ReasoningSplitter(options);
  }

  /** The text so far ends inside the block. */
  get open(): boolean {
    return this.#splitter.open;
  }

  /** Where in the whole text the content begins, characters; undefined until it does. */
  get contentStart(): number | undefined {
    return this.#splitter.contentStart;
  }

  push(text: string): ReasonedText {
    this.#held += text;
    this.#splitter.push(text);
    // What may yet turn out to be the content's beginning waits.
    if (!this.#splitter.begun) return { reasoning: '', content: '' };
    return this.#give();
  }

  /** The end: what was held back. */
  finish(): ReasonedText {
    this.#splitter.finish();
    return this.#give();
  }

  #give(): ReasonedText {
    const text = this.#held;
    const start = Math.max(0, (this.contentStart ?? Infinity) - this.#given);
    this.#held = '';
    this.#given += text.length;
    return { reasoning: text.slice(0, start), content: text.slice(start) };
  }
}

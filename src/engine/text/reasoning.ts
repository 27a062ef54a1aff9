import { overlap } from './stop-strings';

/** A stretch of an answer: what the model thought, and what it says. Either may be empty. */
export interface ReasonedText {
  reasoning: string;
  content: string;
}

export interface ReasoningOptions {
  /** The template already opened the block, so the answer begins inside it. */
  open?: boolean;
  /** The block stays as it was written, tags and white space and all. */
  kept?: boolean;
}

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Parts a thinking model's `<think>…</think>` from its answer as the text streams. Only a block at
 * the very beginning counts (white space before it is dropped); the line breaks around the block's
 * ends belong to neither side. A text without a block passes through unchanged.
 */
export class ReasoningSplitter {
  #state: 'start' | 'reasoning' | 'gap' | 'content';
  #held = '';
  /** No reasoning was given out yet: leading line breaks are the tag's. */
  #fresh = true;
  #taken = 0;
  #contentStart: number | undefined;

  constructor(options: ReasoningOptions = {}) {
    this.#state = options.open ? 'reasoning' : 'start';
  }

  /** The text so far ends inside the block. */
  get open(): boolean {
    return this.#state === 'reasoning';
  }

  /** Whether there is a block is known. */
  get begun(): boolean {
    return this.#state !== 'start';
  }

  /** Where in the whole text the content begins, characters; undefined until it does. */
  get contentStart(): number | undefined {
    return this.#contentStart;
  }

  push(text: string): ReasonedText {
    this.#taken += text.length;
    const out: ReasonedText = { reasoning: '', content: '' };
    this.#held += text;
    if (this.#state === 'start') this.#start();
    if (this.#state === 'reasoning') this.#reason(out);
    if (this.#state === 'gap') this.#skipGap();
    if (this.#state === 'content') {
      this.#contentStart ??= this.#taken - this.#held.length;
      out.content += this.#held;
      this.#held = '';
    }
    return out;
  }

  /** The end: what was held back. An unclosed block is all reasoning. */
  finish(): ReasonedText {
    const held = this.#held;
    this.#held = '';
    if (this.#state === 'reasoning') return { reasoning: held.trimEnd(), content: '' };
    if (this.#state === 'gap') return { reasoning: '', content: '' };
    this.#contentStart ??= this.#taken - held.length;
    return { reasoning: '', content: held };
  }

  #start(): void {
    const text = this.#held.trimStart();
    if (text.startsWith(OPEN)) {
      this.#held = text.slice(OPEN.length);
      this.#state = 'reasoning';
    } else if (!OPEN.startsWith(text)) {
      this.#state = 'content';
    }
  }

  #reason(out: ReasonedText): void {
    if (this.#fresh) this.#held = this.#held.replace(/^\n+/, '');
    const end = this.#held.indexOf(CLOSE);
    if (end >= 0) {
      out.reasoning = this.#held.slice(0, end).trimEnd();
      this.#held = this.#held.slice(end + CLOSE.length);
      this.#state = 'gap';
      return;
    }
    // White space may turn out to stand before the closing tag.
    const sure = this.#held.slice(0, this.#held.length - overlap(this.#held, CLOSE)).trimEnd();
    out.reasoning = sure;
    this.#held = this.#held.slice(sure.length);
    if (sure !== '') this.#fresh = false;
  }

  #skipGap(): void {
    this.#held = this.#held.trimStart();
    if (this.#held !== '') this.#state = 'content';
  }
}

/**
 * Tokens in, text out, as soon as it is certain.
 *
 * A token may hold a part of a character, and a tokenizer may decode a token differently after
 * others (leading spaces, byte-fallback runs). So text is decoded in a window that starts one
 * emission back, and what is new in it is what the longer window adds to the shorter: the method of
 * Hugging Face's text-generation-inference (`decode_token`), plus early release of what stands before
 * an unfinished character, and an end to waiting where bytes can never become one.
 */
import type { Tokenizer } from '../step-engine';

const REPLACEMENT = '\uFFFD';
/** An unfinished UTF-8 character is at most three bytes, each of which may decode to U+FFFD. */
const MAX_UNFINISHED = 3;

export class Detokenizer {
  readonly #tokenizer: Pick<Tokenizer, 'decode'>;
  /** The window: tokens of the last emission, then those not yet settled. */
  #tokens: number[] = [];
  /** How many of the window's tokens belong to the last emission. */
  #settled = 0;
  /** The window's text that was already emitted. */
  #emitted = '';

  constructor(tokenizer: Pick<Tokenizer, 'decode'>) {
    this.#tokenizer = tokenizer;
  }

  /** Takes a token; returns the text that became certain, often the token's own. */
  push(token: number): string {
    this.#tokens.push(token);
    const text = this.#tokenizer.decode(this.#tokens);
    const unfinished = trailingReplacements(text);
    if (!text.startsWith(this.#emitted)) {
      // A byte run is being read anew and is not valid (yet).
      if (unfinished > 0 && this.#tokens.length - this.#settled <= MAX_UNFINISHED) return '';
      return this.#restart(text, unfinished);
    }
    if (unfinished === 0) return this.#settle(text);
    const certain = text.length - Math.min(unfinished, MAX_UNFINISHED);
    if (certain <= this.#emitted.length) return '';
    const added = text.slice(this.#emitted.length, certain);
    this.#emitted = text.slice(0, certain);
    return added;
  }

  /** The end: whatever was held back, as it is. */
  finish(): string {
    if (this.#tokens.length === this.#settled) return '';
    const text = this.#tokenizer.decode(this.#tokens);
    const added = text.startsWith(this.#emitted)
      ? text.slice(this.#emitted.length)
      : this.#tokenizer.decode(this.#tokens.slice(this.#settled));
    this.#tokens = [];
    this.#settled = 0;
    this.#emitted = '';
    return added;
  }

  /** All of the window is certain: the unsettled tokens become the next window's first part. */
  #settle(text: string): string {
    const added = text.slice(this.#emitted.length);
    this.#tokens = this.#tokens.slice(this.#settled);
    this.#settled = this.#tokens.length;
    this.#emitted = this.#tokenizer.decode(this.#tokens);
    return added;
  }

  /** The window's older part spoils the newer: drop it, and read the newer by itself. */
  #restart(text: string, unfinished: number): string {
    this.#tokens = this.#tokens.slice(this.#settled);
    this.#settled = 0;
    this.#emitted = '';
    const own = this.#tokenizer.decode(this.#tokens);
    if (unfinished === 0 || text.length === 0) return this.#settle(own);
    const certain = own.length - Math.min(trailingReplacements(own), MAX_UNFINISHED);
    this.#emitted = own.slice(0, certain);
    return this.#emitted;
  }
}

function trailingReplacements(text: string): number {
  let count = 0;
  while (count < text.length && text[text.length - 1 - count] === REPLACEMENT) count++;
  return count;
}

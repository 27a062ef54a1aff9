/**
 * Ends a text at the first stop string in it, which may span any number of tokens. Only what could
 * be the beginning of a stop string is held back.
 *
 * WebLLM (`processNextToken`) looks for the last occurrence of the first string in its list that
 * occurs at all; here the earliest occurrence of any ends the text, as in the OpenAI API. They
 * differ only where one token completes more than one stop string.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = '';
  #stopped: string | undefined;

  /** Empty strings are ignored. */
  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** The stop string that ended the text. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** Takes text; returns what of it, and of what was held back, is sure to precede a stop string. */
  push(text: string): string {
    if (this.#stopped !== undefined || text === '') return '';
    const all = this.#held + text;
    let end = all.length;
    for (const stop of this.#stops) {
      const at = all.indexOf(stop);
      if (at >= 0 && at < end) {
        end = at;
        this.#stopped = stop;
      }
    }
    if (this.#stopped === undefined) {
      for (const stop of this.#stops) end = Math.min(end, all.length - overlap(all, stop));
      this.#held = all.slice(end);
    } else {
      this.#held = '';
    }
    return all.slice(0, end);
  }

  /** The end: what was held back after all. */
  finish(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}

/** Length of the longest suffix of `text` that is a proper prefix of `stop`. */
export function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}

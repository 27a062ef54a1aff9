/** A stretch of an answer's text: from its first character to the one after its last. */
export type Span = readonly [start: number, end: number];

/** A token that came to words, and its bytes of them. */
export interface WrittenToken<T> {
  token: T;
  bytes: Uint8Array;
}

/** Tokens that came to a text together: a token alone, or those that share a character. */
interface Group<T> {
  start: number;
  text: string;
  tokens: WrittenToken<T>[];
}

const SPACE = 32;

const utf8 = (text: string) => new TextEncoder().encode(text);

/**
 * Which tokens wrote which part of an answer. It is told each token's own bytes and what its coming added
 * to the text, and then which stretches of the text are words that somebody reads. The bytes of the tokens
 * that it gives back are those words, and nothing but those.
 */
export class WrittenTokens<T> {
  /** Tokens that are settled and not given back. */
  #groups: Group<T>[] = [];
  /** Tokens whose text has not all come. */
  #open: Group<T> = { start: 0, text: '', tokens: [] };

  add(token: T, bytes: Uint8Array, text: string): void {
    this.#open.tokens.push({ token, bytes });
    this.#came(text, false);
  }

  /** What came at the very end. */
  finish(text: string): void {
    this.#came(text, true);
  }

  /** The tokens up to the end of the last of the stretches, or all of them, that wrote a part of one. */
  take(stretches: readonly Span[], all: boolean): WrittenToken<T>[] {
    const frontier = all ? Number.POSITIVE_INFINITY : (stretches.at(-1)?.[1] ?? 0);
    const sure = this.#groups.findIndex(({ start, text }) => start + text.length > frontier);
    const taken = this.#groups.splice(0, sure < 0 ? this.#groups.length : sure);
    return taken.flatMap((group) => partsOf(group, stretches));
  }

  #came(text: string, isEnd: boolean): void {
    const open = this.#open;
    open.text += text;
    const [first] = open.tokens;
    const last = open.tokens.at(-1);
    if (first === undefined || last === undefined) return;
    let own = decode(open.tokens);
    // The space that SentencePiece writes before a text, and reads as nothing.
    if (open.start === 0 && !own.startsWith(open.text) && own.slice(1).startsWith(open.text)) {
      if (first.bytes[0] === SPACE) first.bytes = first.bytes.subarray(1);
      own = decode(open.tokens);
    }
    if (own !== open.text) {
      if (!isEnd && own.startsWith(open.text)) return; // the rest of it will come
      // Bytes that are no text keep to themselves; a text that is not theirs is the last one's.
      if (squeezed(own) !== squeezed(open.text)) {
        for (const token of open.tokens) token.bytes = new Uint8Array();
        last.bytes = utf8(open.text);
      }
    }
    this.#settle();
  }

  #settle(): void {
    const { start, text } = this.#open;
    this.#groups.push(this.#open);
    this.#open = { start: start + text.length, text: '', tokens: [] };
  }
}

/** The tokens of a group with the bytes of theirs that lie in the stretches. */
function partsOf<T>({ start, text, tokens }: Group<T>, stretches: readonly Span[]) {
  const total = tokens.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const isExact = utf8(text).length === total;
  const kept = stretches.flatMap(([from, to]) => {
    const [first, end] = [Math.max(from - start, 0), Math.min(to - start, text.length)];
    if (first >= end) return [];
    // What is no text is there as a whole.
    const at = (index: number) => utf8(text.slice(0, index)).length;
    return [isExact ? ([at(first), at(end)] as const) : ([0, total] as const)];
  });
  let before = 0;
  return tokens.flatMap(({ token, bytes }) => {
    const from = before;
    before += bytes.length;
    const own = bytes.filter((_, i) => kept.some(([a, b]) => from + i >= a && from + i < b));
    return own.length === 0 ? [] : [{ token, bytes: own }];
  });
}

/** What bytes come to, those of no character to U+FFFD. */
function decode(tokens: readonly WrittenToken<unknown>[]): string {
  const bytes = Uint8Array.from(tokens.flatMap(({ bytes: own }) => [...own]));
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** Tokenizers differ in how many U+FFFD a broken character is. */
function squeezed(text: string): string {
  return text.replace(/\uFFFD+/g, '\uFFFD');
}

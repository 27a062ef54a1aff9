import type { Tokenizer } from '../step-engine';

/**
 * Words with the space before them, split after six letters; about four characters a token, like the
 * real ones. Control tokens (`<|im_end|>`) and line breaks stand alone, as they do there, so that what
 * was generated is found again in a later prompt.
 */
const PIECE = /<\|\w+\|>| ?[\p{L}\p{N}_]{1,6}| ?(?:(?!<\|)[^\s\p{L}\p{N}_]){1,3}|<(?=\|)|\s+/gu;

/**
 * A tokenizer for the simulated engine: it numbers the pieces of text as it meets them, so every
 * text comes back exactly. Id 0 is the end token.
 */
export class WordTokenizer implements Tokenizer {
  readonly #ids = new Map<string, number>();
  readonly #pieces: string[] = [''];

  get vocabSize(): number {
    return this.#pieces.length;
  }

  encode(text: string): Int32Array {
    return Int32Array.from(text.match(PIECE) ?? [], (piece) => this.#intern(piece));
  }

  decode(ids: ArrayLike<number>): string {
    let text = '';
    for (let i = 0; i < ids.length; i++) text += this.#pieces[ids[i]] ?? '\uFFFD';
    return text;
  }

  #intern(piece: string): number {
    let id = this.#ids.get(piece);
    if (id === undefined) {
      id = this.#pieces.push(piece) - 1;
      this.#ids.set(piece, id);
    }
    return id;
  }
}

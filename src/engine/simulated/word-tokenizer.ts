import type { Tokenizer } from '../step-engine';

/**
 * Words with the space before them, split after six letters; about four characters a token, like the
 * real ones. Control tokens (`<|im_end|>`) and line breaks stand alone, as they do there, so that what
 * was generated is found again in a later prompt.
 */
const PIECE =
  /<\|\w{1,32}\|>| ?[\p{L}\p{N}_]{1,6}| ?(?:(?!<\|)[^\s\p{L}\p{N}_]){1,3}|<(?=\|)|\s{1,32}/gu;

/** Pieces that are numbered. What comes after them is spelt. */
const MAX_PIECES = 2 ** 18;
/** UTF-16 code units, which pieces are spelt with. */
const UNITS = 2 ** 16;

/**
 * A tokenizer for the simulated engine: it numbers the pieces of text as it meets them, as long as
 * there are numbers, and spells what is new after that; so every text comes back exactly. Id 0 is the
 * end token.
 */
export class WordTokenizer implements Tokenizer {
  readonly #ids = new Map<string, number>();
  readonly #pieces: string[] = [''];
  readonly #most: number;

  constructor(maxPieces = MAX_PIECES) {
    this.#most = maxPieces;
  }

  get vocabSize(): number {
    return this.#most + UNITS;
  }

  encode(text: string): Int32Array {
    const ids: number[] = [];
    for (const [piece] of text.matchAll(PIECE)) this.#number(piece, ids);
    return Int32Array.from(ids);
  }

  decode(ids: ArrayLike<number>): string {
    let text = '';
    for (let i = 0; i < ids.length; i++) {
      const unit = ids[i] - this.#most;
      text += unit < 0 ? (this.#pieces[ids[i]] ?? '\uFFFD') : String.fromCharCode(unit);
    }
    // Half a character is none until the other half is there.
    return text.replace(/\p{Surrogate}/gu, '\uFFFD');
  }

  #number(piece: string, ids: number[]): void {
    let id = this.#ids.get(piece);
    if (id === undefined && this.#pieces.length >= this.#most) {
      for (let i = 0; i < piece.length; i++) ids.push(this.#most + piece.charCodeAt(i));
      return;
    }
    if (id === undefined) {
      // A text of its own: a long enough part of a large one would keep that.
      const own = piece.length > 12 ? structuredClone(piece) : piece;
      id = this.#pieces.push(own) - 1;
      this.#ids.set(own, id);
    }
    ids.push(id);
  }
}

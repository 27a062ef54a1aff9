/** Tokenizers for tests: small, but with the habits of real ones. */
import type { Tokenizer } from '../step-engine';

/**
 * Byte-level, as GPT-2's: any bytes may share a token, and bytes that are no text decode to U+FFFD,
 * one for each maximal broken part.
 */
export class ByteLevelTokenizer implements Tokenizer {
  readonly #tokens: readonly Uint8Array[];

  /** The 256 bytes, then these. */
  constructor(longer: readonly (string | readonly number[])[] = []) {
    this.#tokens = [
      ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
      ...longer.map((token) =>
        typeof token === 'string' ? new TextEncoder().encode(token) : Uint8Array.from(token),
      ),
    ];
  }

  get vocabSize(): number {
    return this.#tokens.length;
  }

  /** Longest match first. */
  encode(text: string): Int32Array {
    const bytes = new TextEncoder().encode(text);
    const ids: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      let best = bytes[at];
      for (let id = 256; id < this.#tokens.length; id++) {
        const token = this.#tokens[id];
        const longer = token.length > this.#tokens[best].length;
        if (longer && token.every((byte, i) => bytes[at + i] === byte)) best = id;
      }
      ids.push(best);
      at += this.#tokens[best].length;
    }
    return Int32Array.from(ids);
  }

  decode(ids: ArrayLike<number>): string {
    const bytes = Array.from(ids).flatMap((id) => [...this.#tokens[id]]);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  }
}

/**
 * SentencePiece with byte fallback, as Llama 2's: pieces hold whole characters, `▁` is a space, the
 * first space of a text is dropped, and a run of byte tokens that is no text decodes to one U+FFFD
 * for each byte, valid characters in the run included.
 */
export class ByteFallbackTokenizer implements Tokenizer {
  readonly #pieces: readonly string[];

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces;
  }

  get vocabSize(): number {
    return 256 + this.#pieces.length;
  }

  encode(text: string): Int32Array {
    const marked = `▁${text.replaceAll(' ', '▁')}`;
    const ids: number[] = [];
    for (let rest = marked; rest !== ''; ) {
      const matches = this.#pieces.filter((piece) => rest.startsWith(piece));
      const best = matches.sort((a, b) => b.length - a.length)[0];
      if (best !== undefined) {
        ids.push(256 + this.#pieces.indexOf(best));
        rest = rest.slice(best.length);
      } else {
        const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
        ids.push(...new TextEncoder().encode(character));
        rest = rest.slice(character.length);
      }
    }
    return Int32Array.from(ids);
  }

  decode(ids: ArrayLike<number>): string {
    let text = '';
    let run: number[] = [];
    const endRun = () => {
      try {
        text += new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
          Uint8Array.from(run),
        );
      } catch {
        text += '\uFFFD'.repeat(run.length);
      }
      run = [];
    };
    for (const id of Array.from(ids)) {
      if (id < 256) {
        run.push(id);
      } else {
        endRun();
        text += this.#pieces[id - 256];
      }
    }
    endRun();
    return text.replaceAll('▁', ' ').replace(/^ /, '');
  }
}

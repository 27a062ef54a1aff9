import { BERT_SPECIAL, EMBEDDER, SPECIAL } from './model';

export class Tokenizer {
  #disposed = false;

  dispose(): void {
    this.#disposed = true;
  }

  encode(text: string): Int32Array {
    this.#check();
    const ids: number[] = [];
    for (const piece of text.split(/(<\|[a-z_]+\|>)/)) {
      const special = SPECIAL.indexOf(piece);
      if (special >= 0) ids.push(256 + special);
      else ids.push(...new TextEncoder().encode(piece));
    }
    return Int32Array.from(ids);
  }

  decode(ids: Int32Array): string {
    this.#check();
    const bytes: number[] = [];
    for (const id of ids)
      bytes.push(...(id < 256 ? [id] : new TextEncoder().encode(SPECIAL[id - 256] ?? '')));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }

  getVocabSize(): number {
    return 256 + SPECIAL.length;
  }

  #check(): void {
    if (this.#disposed)
      throw new Error('Cannot pass deleted object as a pointer of type Tokenizer*');
  }

  /** Bytes as GPT-2's byte-level tokenizers write them. */
  idToToken(id: number): string {
    if (id >= 256) return SPECIAL[id - 256] ?? '';
    const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    if (printable(id)) return String.fromCharCode(id);
    let shifted = 256;
    for (let b = 0; b < id; b++) if (!printable(b)) shifted++;
    return String.fromCharCode(shifted);
  }
}

/** As BERT's: it knows [CLS] and [SEP] where they are written, adds none, and cuts off what is too long. */
export class EmbeddingTokenizer extends Tokenizer {
  override encode(text: string): Int32Array {
    const ids = text.split(/(\[CLS\]|\[SEP\])/).flatMap((piece) => {
      const special = BERT_SPECIAL.indexOf(piece);
      return special >= 0 ? [256 + special] : Array.from(super.encode(piece));
    });
    return Int32Array.from(ids.slice(0, EMBEDDER.config.context_window_size));
  }

  override idToToken(id: number): string {
    return id >= 256 ? (BERT_SPECIAL[id - 256] ?? '') : super.idToToken(id);
  }

  override getVocabSize(): number {
    return 256 + BERT_SPECIAL.length;
  }
}

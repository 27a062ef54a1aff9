import type { Tokenizer } from '../step-engine';
import { type TokenEncoding, tokenBytes } from '../text';
import type { MlcTokenizer } from './internals';

/** A model's tokenizer, whichever load of the model it came with. */
interface Keeping {
  tokenizer: MlcTokenizer;
  /** Frees the tokenizer's memory. */
  free: () => void;
}

/** By model id. Not more than the last two models': a tokenizer is some megabytes. */
const kept = new Map<string, Keeping>();
const MOST = 2;

/**
 * Takes a tokenizer over from WebLLM, which frees it with its engine and also when the device is
 * lost. Streams that go on after that must still be decoded, and requests that come meanwhile
 * encoded; so it is kept until the model's next load brings a new one, which old users then get.
 */
export function keepTokenizer(
  model: string,
  tokenizer: MlcTokenizer,
  vocabSize: number,
  encoding: TokenEncoding,
): Tokenizer {
  const dispose = tokenizer.dispose;
  const keeping = { tokenizer, free: () => dispose.call(tokenizer) };
  tokenizer.dispose = () => {};
  const before = kept.get(model);
  kept.delete(model);
  kept.set(model, keeping);
  if (before !== undefined && before.tokenizer !== tokenizer) before.free();
  for (const [other, { free }] of kept) {
    if (kept.size <= MOST) break;
    kept.delete(other);
    free();
  }
  return new KeptTokenizer(model, keeping, vocabSize, encoding);
}

class KeptTokenizer implements Tokenizer {
  /** Length of a row of logits; ids beyond the tokenizer's own are never text. */
  readonly vocabSize: number;
  readonly #model: string;
  readonly #first: Keeping;
  readonly #encoding: TokenEncoding;

  constructor(model: string, first: Keeping, vocabSize: number, encoding: TokenEncoding) {
    this.#model = model;
    this.#first = first;
    this.vocabSize = vocabSize;
    this.#encoding = encoding;
  }

  encode(text: string): Int32Array {
    // The wasm tokenizer does not take the empty text.
    return text === '' ? new Int32Array(0) : Int32Array.from(this.#tokenizer.encode(text));
  }

  decode(ids: ArrayLike<number>): string {
    return ids.length === 0 ? '' : this.#tokenizer.decode(Int32Array.from(ids));
  }

  bytes(id: number): Uint8Array {
    const isOwn = id < this.#tokenizer.getVocabSize();
    return tokenBytes(isOwn ? this.#tokenizer.idToToken(id) : '', this.#encoding);
  }

  get #tokenizer(): MlcTokenizer {
    return (kept.get(this.#model) ?? this.#first).tokenizer;
  }
}

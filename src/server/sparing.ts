import type { Tokenizer } from '../engine/step-engine';
import { TempoError } from '../scheduler';

/** Nearly all texts have fewer characters a token. */
const USUAL_CHARACTERS = 7;
/** No text has more characters a token. */
const MOST_CHARACTERS = 32;

/** As much of a made-up answer as `most` tokens may hold: what is longer is cut off anyway. */
export function beginning(text: string, most: number): string {
  return text.slice(0, USUAL_CHARACTERS * most);
}

/** A tokenizer that reads no more of a text than shows it to be too long for `most` tokens. */
export function sparing(tokenizer: Tokenizer, most: number, param: string): Tokenizer {
  const encode = (text: string) => tokenizer.encode(text);
  return {
    vocabSize: tokenizer.vocabSize,
    decode: (ids) => tokenizer.decode(ids),
    bytes: tokenizer.bytes && ((id) => tokenizer.bytes?.(id)),
    encode(text) {
      const usual = USUAL_CHARACTERS * most;
      const long = text.length > usual && encode(text.slice(0, usual)).length > most;
      if (long || text.length > MOST_CHARACTERS * most) {
        const sentence = `The text has far more than the ${most} tokens that this engine takes. Shorten it.`;
        throw new TempoError('context_length_exceeded', sentence, { param });
      }
      return encode(text);
    },
  };
}

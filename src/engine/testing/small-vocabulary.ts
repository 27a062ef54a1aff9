/**
 * A small vocabulary for tests, as a byte-level tokenizer writes it: an end token, every byte (in
 * GPT-2's printable alphabet), and a few longer tokens.
 */
import type { GrammarVocabulary } from '../sampling/grammars';

/** GPT-2's `bytes_to_unicode`: printable bytes stand for themselves, the others for U+0100 and up. */
const PRINTABLE = (byte: number) =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
let next = 256;
const ALPHABET = Array.from({ length: 256 }, (_, byte) =>
  String.fromCodePoint(PRINTABLE(byte) ? byte : next++),
);

const LONGER = ['{"', '":', '", "', 'name', 'true', 'ye', ' words', '}\n', '<tool_call>', '15'];

const encode = (text: string) =>
  [...new TextEncoder().encode(text)].map((byte) => ALPHABET[byte]).join('');

export const STOP = 0;

export const SMALL_VOCABULARY: GrammarVocabulary = {
  tokens: ['</s>', ...ALPHABET, ...LONGER.map(encode)],
  encoding: 'byte_level',
  vocabSize: 320, // padded, as models' rows of logits are
  stopTokens: [STOP],
};

/** The text's tokens, longest match first. */
export function tokensOf(text: string): number[] {
  const tokens: number[] = [];
  for (let rest = text; rest !== ''; ) {
    const longer = LONGER.findIndex((token) => rest.startsWith(token));
    if (longer >= 0) {
      tokens.push(1 + 256 + longer);
      rest = rest.slice(LONGER[longer].length);
    } else {
      const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      tokens.push(...[...new TextEncoder().encode(character)].map((byte) => 1 + byte));
      rest = rest.slice(character.length);
    }
  }
  return tokens;
}

/** The tokens' text; the end token as `</s>`. */
export function wordsOf(tokens: ArrayLike<number>): string {
  const bytes = Array.from(tokens).flatMap((token) => {
    if (token === STOP) return [...new TextEncoder().encode('</s>')];
    if (token <= 256) return [token - 1];
    return [...new TextEncoder().encode(LONGER[token - 257] ?? '')];
  });
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordTokenizer } from './word-tokenizer';

describe('the word tokenizer', () => {
  it('gives every text back', () => {
    const tokenizer = new WordTokenizer();
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('<|im_end|>', '<|', '|>', '<', ' ', '\n', '\r\n', '😀', 'naïveté'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it('keeps control tokens and line breaks apart from the words beside them', () => {
    const tokenizer = new WordTokenizer();
    const tokens = tokenizer.encode('a.<|im_end|>\nb');
    expect(Array.from(tokens, (token) => tokenizer.decode([token]))).toEqual([
      'a',
      '.',
      '<|im_end|>',
      '\n',
      'b',
    ]);
  });
});

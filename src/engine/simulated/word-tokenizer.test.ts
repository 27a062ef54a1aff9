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

  it('gives every text back when its numbers are used up, and numbers no more', () => {
    const tokenizer = new WordTokenizer(40);
    const { vocabSize } = tokenizer;
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(ids.every((id) => id >= 0 && id < vocabSize)).toBe(true);
      }),
    );
    const [high, low] = tokenizer.encode('😀');
    expect(tokenizer.decode([high])).toBe('\uFFFD');
    expect(tokenizer.decode([high, low])).toBe('😀');
  });

  it('keeps no large text for a piece of it', () => {
    const tokenizer = new WordTokenizer();
    expect(Math.max(...tokenizer.encode(' '.repeat(10_000)))).toBeLessThan(4);
    expect(tokenizer.decode(tokenizer.encode(' '.repeat(10_000)))).toBe(' '.repeat(10_000));
  });
});

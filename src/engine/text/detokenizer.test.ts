import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteFallbackTokenizer, ByteLevelTokenizer } from '../testing/byte-tokenizer';
import { Detokenizer } from './detokenizer';

/** Half a surrogate pair, alone. */
const HALF_A_CHARACTER = /\p{Surrogate}/u;
const bytes = (text: string) => [...new TextEncoder().encode(text)];
const byteLevel = new ByteLevelTokenizer([
  'hello',
  ' world',
  [0x20, 0xf0], // a space and the first byte of an emoji
  [0x9f, 0x98],
  [0x80, 0x21], // its last byte and an exclamation mark
]);
const byteFallback = new ByteFallbackTokenizer(['▁', '▁the', '▁cat', 's', '.', 'a', 'b', 'c']);

/** What comes out for each token, and at the end. */
function stream(tokenizer: ByteLevelTokenizer | ByteFallbackTokenizer, ids: Iterable<number>) {
  const detokenizer = new Detokenizer(tokenizer);
  const deltas = [...ids].map((id) => detokenizer.push(id));
  return [...deltas, detokenizer.finish()];
}

describe('a detokenizer', () => {
  it('gives a token’s text at once where it is whole', () => {
    expect(stream(byteLevel, byteLevel.encode('hello world'))).toEqual(['hello', ' world', '']);
  });

  it('waits for the rest of a character that several tokens share', () => {
    expect(stream(byteLevel, bytes('é'))).toEqual(['', 'é', '']);
    expect(stream(byteLevel, [258, 259, 260])).toEqual([' ', '', '😀!', '']);
  });

  it('keeps an emoji made of several characters in order', () => {
    const family = '👩‍👩‍👧‍👦🏳️‍🌈';
    const deltas = stream(byteLevel, byteLevel.encode(family));
    expect(deltas.join('')).toBe(family);
    expect(deltas.some((delta) => delta.includes('\uFFFD'))).toBe(false);
  });

  it('gives out a U+FFFD that the model really wrote', () => {
    expect(stream(byteLevel, byteLevel.encode('a\uFFFDb')).join('')).toBe('a\uFFFDb');
    expect(stream(byteLevel, byteLevel.encode('a\uFFFD')).join('')).toBe('a\uFFFD');
  });

  it('does not wait for ever on bytes that are no text', () => {
    const deltas = stream(byteLevel, Array(100).fill(0xff));
    expect(deltas.join('')).toBe('\uFFFD'.repeat(100));
    expect(deltas.slice(0, -1).join('').length).toBeGreaterThanOrEqual(97);

    const runs = stream(byteFallback, Array(100).fill(0xff));
    expect(runs.join('')).toBe('\uFFFD'.repeat(100));
    expect(runs.slice(0, -1).join('').length).toBeGreaterThanOrEqual(96);
  });

  it('keeps the spaces between SentencePiece’s words', () => {
    const ids = byteFallback.encode('the cats the cat.');
    expect(stream(byteFallback, ids)).toEqual(['the', ' cat', 's', ' the', ' cat', '.', '']);
  });

  it('reads byte-fallback characters one after another', () => {
    const ids = byteFallback.encode('a 你好 b');
    expect(stream(byteFallback, ids).join('')).toBe('a 你好 b');
  });

  it('keeps a valid character before broken bytes in the same run', () => {
    const deltas = stream(byteFallback, [...bytes('你'), 0xff, 0xff, 0xff, 0xff, 256 + 5]);
    expect(deltas.join('')).toBe('你\uFFFD\uFFFD\uFFFD\uFFFDa');
  });

  it.each([
    ['byte-level', byteLevel],
    ['byte-fallback', byteFallback],
  ])('never splits or changes a text (%s)', (_, tokenizer) => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const deltas = stream(tokenizer, tokenizer.encode(text));
        expect(deltas.join('')).toBe(text);
        for (const delta of deltas) expect(delta).not.toMatch(HALF_A_CHARACTER);
      }),
    );
  });

  it('says in all what decoding all tokens at once says, for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 260 }), { maxLength: 60 }), (ids) => {
        expect(stream(byteLevel, ids).join('')).toBe(byteLevel.decode(ids));
      }),
      { numRuns: 500 },
    );
  });

  it('never takes back what it gave out, and holds at most three bytes, for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 128, max: 263 }), { maxLength: 60 }), (ids) => {
        const detokenizer = new Detokenizer(byteFallback);
        let text = '';
        for (const id of ids) text += detokenizer.push(id);
        expect(detokenizer.finish().length).toBeLessThanOrEqual(4);
        expect(text).not.toMatch(HALF_A_CHARACTER);
      }),
    );
  });
});

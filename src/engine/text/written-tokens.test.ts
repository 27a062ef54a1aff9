import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tokenizer } from '../step-engine';
import { ByteFallbackTokenizer, ByteLevelTokenizer } from '../testing/byte-tokenizer';
import { TextStream, type TextStreamOptions } from './text-stream';
import { WrittenTokens } from './written-tokens';

const PIECES = ['▁', '▁Hello', '▁world', ' ', 'é', '!', '<think>', '</think>', '\n'];
const byteLevel = new ByteLevelTokenizer([
  ' Hello',
  'lo, ',
  [32, 0xf0, 0x9f],
  [0x98, 0x80, 33],
  'END',
]);
const fallback = new ByteFallbackTokenizer(PIECES);
const utf8 = (text: string) => new TextEncoder().encode(text);
const bytesOf = {
  byteLevel: (id: number) => byteLevelBytes[id] ?? Uint8Array.of(id),
  fallback: (id: number) =>
    id < 256 ? Uint8Array.of(id) : utf8(PIECES[id - 256].replaceAll('▁', ' ')),
};
const byteLevelBytes: Record<number, Uint8Array> = {
  256: utf8(' Hello'),
  257: utf8('lo, '),
  258: Uint8Array.of(32, 0xf0, 0x9f),
  259: Uint8Array.of(0x98, 0x80, 33),
  260: utf8('END'),
};

/** An answer’s content, and the tokens that are told of it, as they are told. */
function answer(
  tokenizer: Tokenizer,
  bytes: (id: number) => Uint8Array,
  tokens: ArrayLike<number>,
  options: Omit<TextStreamOptions, 'tokenizer'> = {},
) {
  const stream = new TextStream({ tokenizer, ...options });
  const written = new WrittenTokens<number>();
  let content = '';
  const told = [];
  const tell = (all: boolean) => {
    const { contentStart: start = 0 } = stream;
    return written.take([[start, start + content.length]], all);
  };
  for (const token of Array.from(tokens)) {
    content += stream.push(token).content;
    written.add(token, bytes(token), stream.raw);
    told.push(...tell(false));
    if (stream.stopped !== undefined) break;
  }
  content += stream.finish().content;
  written.finish(stream.raw);
  told.push(...tell(true));
  return { content, told, bytes: told.flatMap((token) => [...token.bytes]) };
}

describe('the tokens of an answer', () => {
  it('have their own bytes, four tokens to a character', () => {
    const tokens = [...utf8('😀!')];
    const { told } = answer(byteLevel, bytesOf.byteLevel, tokens);
    expect(told.map(({ bytes }) => [...bytes])).toEqual([[240], [159], [152], [128], [33]]);
  });

  it('keep SentencePiece’s spaces, but for the one before the text', () => {
    const { content, told } = answer(fallback, bytesOf.fallback, fallback.encode('Hello world é'));
    expect(content).toBe('Hello world é');
    const texts = told.map(({ bytes }) => new TextDecoder().decode(bytes));
    expect(texts).toEqual(['Hello', ' world', ' ', 'é']);
  });

  it('leave reasoning and stop strings out, a token’s part of them too', () => {
    const text = '<think>\nHm, 😀.\n</think>\n\nHello, 😀!END more';
    const { content, bytes, told } = answer(byteLevel, bytesOf.byteLevel, byteLevel.encode(text), {
      stop: ['!EN'],
      reasoning: {},
    });
    expect(content).toBe('Hello, 😀');
    expect(bytes).toEqual([...utf8('Hello, 😀')]);
    expect([...told[told.length - 1].bytes]).toEqual([0x98, 0x80]); // of a token that goes on with "!"
  });

  it('are told as soon as their words are, each once', () => {
    const stream = new TextStream({ tokenizer: byteLevel, stop: ['bc'] });
    const written = new WrittenTokens<string>();
    const told: string[][] = [];
    let length = 0;
    for (const letter of 'abxc') {
      length += stream.push(letter.charCodeAt(0)).content.length;
      written.add(letter, utf8(letter), stream.raw);
      told.push(written.take([[0, length]], false).map(({ token }) => token));
    }
    expect(told).toEqual([['a'], [], ['b', 'x'], ['c']]);
    expect(written.take([[0, length]], true)).toEqual([]);
  });

  const words = fc.array(
    fc.oneof(
      fc.constantFrom('<think>', '</think>', 'END', 'Hello', ' world', '\n', ' ', 'é', '😀', '!'),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    ),
    { maxLength: 12 },
  );
  const options = fc.constantFrom<Omit<TextStreamOptions, 'tokenizer'>>(
    {},
    { stop: ['END'] },
    { stop: ['\n', 'world!'], reasoning: {} },
    { ends: ['END'], stop: ['é'], reasoning: { open: true } },
  );

  it.each([
    ['byte-level', byteLevel, bytesOf.byteLevel],
    ['SentencePiece', fallback, bytesOf.fallback],
  ] as const)('are, byte for byte, its content: %s', (_, tokenizer, bytes) => {
    fc.assert(
      fc.property(words, options, (parts, chosen) => {
        const text = parts.join('');
        const said = answer(tokenizer, bytes, tokenizer.encode(text), chosen);
        expect(
          new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(said.bytes)),
        ).toBe(said.content);
        expect(said.told.every((token) => token.bytes.length > 0)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('that are no text say so in their bytes', () => {
    const { content, bytes } = answer(byteLevel, bytesOf.byteLevel, [65, 0xff, 0xf0, 66]);
    expect(content).toBe('A\uFFFD\uFFFDB');
    expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe(content);
  });
});

import { expect, it } from 'vitest';
import { tokenBytes } from './token-bytes';

const utf8 = (text: string) => [...new TextEncoder().encode(text)];

it('a byte-level token is its bytes, half a character’s too', () => {
  expect([...tokenBytes('ðŁĺ', 'byte_level')]).toEqual([240, 159, 152]);
  expect([...tokenBytes('Ģ', 'byte_level')]).toEqual([128]);
  expect([...tokenBytes('ĠÃ©tÃ©', 'byte_level')]).toEqual(utf8(' été'));
  expect([...tokenBytes('Ċ', 'byte_level')]).toEqual([10]);
  const all = Array.from({ length: 0x144 }, (_, code) =>
    tokenBytes(String.fromCharCode(code), 'byte_level'),
  );
  expect(new Set(all.filter(({ length }) => length === 1).map(([byte]) => byte)).size).toBe(256);
});

it('a special token is written as it is', () => {
  expect([...tokenBytes('<|im_end|>', 'byte_level')]).toEqual(utf8('<|im_end|>'));
  expect([...tokenBytes('<｜end▁of▁sentence｜>', 'byte_level')]).toEqual(
    utf8('<｜end▁of▁sentence｜>'),
  );
});

it('a token of SentencePiece keeps its space, and may be a byte', () => {
  expect([...tokenBytes('▁world', 'byte_fallback')]).toEqual(utf8(' world'));
  expect([...tokenBytes('<0xF0>', 'byte_fallback')]).toEqual([240]);
  expect([...tokenBytes('<0xF0>', 'raw')]).toEqual(utf8('<0xF0>'));
});

import { describe, expect, it } from 'vitest';
import { picture } from '../../engine/testing/png';
import { imageHeader } from './image-header';

const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const u16 = (value: number) => [value >> 8, value & 255];
const u16le = (value: number) => [value & 255, value >> 8];
const u24le = (value: number) => [...u16le(value & 0xffff), value >> 16];
const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 0xffff)];
const zeros = (count: number) => new Array<number>(count).fill(0);

const riff = (...rest: number[]) => [...ascii('RIFF'), ...zeros(4), ...ascii('WEBP'), ...rest];
const gifFrame = [0x2c, ...zeros(8), 0, 2, 1, 7, 0];
const gif = (...blocks: number[]) => [
  ...[...ascii('GIF89a'), ...u16le(300), ...u16le(200), 0x80, 0, 0],
  ...[...zeros(6), ...blocks, 0x3b],
];
const apng = () => {
  const bytes = [...picture(1)];
  bytes.splice(33, 0, ...u32(8), ...ascii('acTL'), ...zeros(12));
  return bytes;
};
const box = (name: string, ...rest: number[]) => [...u32(8 + rest.length), ...ascii(name), ...rest];
const avif = (brand: string) => [
  ...box('ftyp', ...ascii(brand), ...zeros(4)),
  ...box('meta', ...zeros(60), ...box('ispe', ...zeros(4), ...u32(300), ...u32(200))),
];
const jpeg = (frame: number) => [
  ...[0xff, 0xd8],
  ...[0xff, 0xe1, ...u16(70_000 & 0xffff), ...zeros((70_000 & 0xffff) - 2)],
  ...[0xff, 0xff, 0xc4, ...u16(4), 0, 0],
  ...[0xff, frame, ...u16(17), 8, ...u16(200), ...u16(300), ...zeros(10)],
];
const bmp = [...ascii('BM'), ...zeros(16), ...u16le(300), 0, 0, 0x38, 0xff, 0xff, 0xff];

const FORMATS: [string, number[], string, boolean][] = [
  ['a JPEG', jpeg(0xc0), 'image/jpeg', false],
  ['a progressive JPEG', jpeg(0xc2), 'image/jpeg', false],
  ['a GIF', gif(...gifFrame), 'image/gif', false],
  ['a GIF with a comment', gif(0x21, 0xfe, 2, 65, 66, 0, ...gifFrame), 'image/gif', false],
  [
    'an animated GIF',
    gif(...gifFrame, 0x21, 0xf9, 4, 0, 0, 0, 0, 0, ...gifFrame),
    'image/gif',
    true,
  ],
  ['an AVIF', avif('avif'), 'image/avif', false],
  ['an AVIF sequence', avif('avis'), 'image/avif', true],
  ['a BMP that begins at its top', bmp, 'image/bmp', false],
  [
    'a lossy WebP',
    riff(...ascii('VP8 '), ...zeros(10), ...u16le(300), ...u16le(200)),
    'image/webp',
    false,
  ],
  [
    'a lossless WebP',
    riff(...ascii('VP8L'), ...zeros(4), 0x2f, ...[0x2b, 0xc1, 0x31, 0x00]),
    'image/webp',
    false,
  ],
  [
    'an extended WebP',
    riff(...ascii('VP8X'), ...zeros(8), ...u24le(299), ...u24le(199)),
    'image/webp',
    false,
  ],
  [
    'an animated WebP',
    riff(...ascii('VP8X'), ...zeros(4), 2, ...zeros(3), ...u24le(299), ...u24le(199)),
    'image/webp',
    true,
  ],
];

describe('an image’s header', () => {
  it.each(FORMATS)('of %s says what it is and how large', (_, bytes, type, animated) => {
    const expected = { type, width: 300, height: 200, animated };
    expect(imageHeader(Uint8Array.from(bytes))).toEqual(expected);
    // Wherever in a buffer it stands.
    expect(imageHeader(Uint8Array.from([9, 9, 9, ...bytes]).subarray(3))).toEqual(expected);
  });

  it('of a PNG says whether it moves', () => {
    const expected = { type: 'image/png', width: 6, height: 4 };
    expect(imageHeader(picture(1))).toEqual({ ...expected, animated: false });
    expect(imageHeader(Uint8Array.from(apng()))).toEqual({ ...expected, animated: true });
  });

  it('that is cut off is none, wherever', () => {
    const all = [...FORMATS.map(([, bytes]) => bytes), [...picture(1)]];
    for (const bytes of all) {
      for (let length = 0; length < Math.min(bytes.length, 90); length++) {
        const header = imageHeader(Uint8Array.from(bytes.slice(0, length)));
        if (header !== undefined) expect(header.width * header.height).toBeGreaterThan(0);
      }
      expect(imageHeader(Uint8Array.from(bytes.slice(0, 8)))).toBeUndefined();
    }
  });

  it('is of no other files', () => {
    for (const text of ['', 'hello', '<svg xmlns="http://www.w3.org/2000/svg"/>', '%PDF-1.7 ……']) {
      expect(imageHeader(new TextEncoder().encode(text))).toBeUndefined();
    }
  });
});

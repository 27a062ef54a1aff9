/** What the first bytes of a character in UTF-8 leave open: the code points from `from` to `to`. */
export interface PartialCharacter {
  readonly from: number;
  readonly to: number;
  readonly isWhole: boolean;
}

/** Reads the bytes of one character, as far as they are there; undefined where they are of none. */
export function partialCharacter(bytes: readonly number[]): PartialCharacter | undefined {
  const [lead] = bytes;
  if (lead < 0x80) return { from: lead, to: lead, isWhole: true };
  if (lead < 0xc2 || lead > 0xf4) return undefined;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  let code = lead & (0xff >> (length + 1));
  for (let i = 1; i < bytes.length; i++) {
    if ((bytes[i] & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (bytes[i] & 0x3f);
  }
  const open = 6 * (length - bytes.length);
  const from = Math.max(code << open, length === 3 ? 0x800 : length === 4 ? 0x10000 : 0x80);
  const to = Math.min(0x10ffff, ((code + 1) << open) - 1);
  const isSurrogate = from > 0xd7ff && to < 0xe000;
  return from > to || isSurrogate ? undefined : { from, to, isWhole: open === 0 };
}

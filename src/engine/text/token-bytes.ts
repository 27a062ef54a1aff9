/** How a tokenizer's file writes the bytes of its tokens (mlc-chat-config.json's `token_postproc_method`). */
export type TokenEncoding = 'raw' | 'byte_fallback' | 'byte_level';

let alphabet: Map<string, number> | undefined;

/** GPT-2's `bytes_to_unicode`, read backwards: printable bytes stand for themselves, others for U+0100 and up. */
function byteOf(character: string): number | undefined {
  if (alphabet === undefined) {
    alphabet = new Map();
    let next = 256;
    for (let byte = 0; byte < 256; byte++) {
      const printable = /[!-~¡-¬®-ÿ]/.test(String.fromCharCode(byte));
      alphabet.set(String.fromCharCode(printable ? byte : next++), byte);
    }
  }
  return alphabet.get(character);
}

/** The bytes that a token stands for, wherever it comes: half a character's, its space, too. */
export function tokenBytes(token: string, encoding: TokenEncoding): Uint8Array {
  if (encoding === 'byte_level') {
    const bytes = Array.from(token, byteOf);
    // A special token is written as it is.
    if (bytes.every((byte) => byte !== undefined)) return Uint8Array.from(bytes);
  }
  if (encoding === 'byte_fallback') {
    const [, hex] = /^<0x([\dA-F]{2})>$/i.exec(token) ?? [];
    if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
    return new TextEncoder().encode(token.replaceAll('▁', ' '));
  }
  return new TextEncoder().encode(token);
}

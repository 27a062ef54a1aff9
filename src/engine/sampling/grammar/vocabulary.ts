import { Pace } from '../pace';
import { type Branches, branchesOf } from './character-kinds';
import { TokenTrie } from './token-trie';

/** A tokenizer's vocabulary as grammars need it. */
export interface GrammarVocabulary {
  /** Token texts by id, as the tokenizer's file writes them (WebLLM's `idToToken`). */
  tokens: readonly string[];
  /** `tokenizer_info.token_postproc_method` of mlc-chat-config.json. */
  encoding: 'raw' | 'byte_fallback' | 'byte_level';
  /** Length of a row of logits; may exceed the tokens. */
  vocabSize: number;
  /** Tokens that end an answer: the template's `stop_token_ids`. */
  stopTokens: readonly number[];
}

/** A vocabulary, made ready to be walked. */
export class Vocabulary {
  readonly vocabSize: number;
  readonly stopTokens: readonly number[];
  /** All tokens, by their bytes. */
  readonly all: TokenTrie;
  /**
   * Tokens that stand in a JSON string as they are, by their code points: whole characters, no
   * quotation mark, backslash or control character. Nearly all are.
   */
  readonly plain: TokenTrie;
  /** Of the others those with a quotation mark, which may end a string, by their bytes. */
  readonly quoting: TokenTrie;
  /** The rest, by their bytes. */
  readonly special: TokenTrie;
  /** What the plain tokens' beginnings go on with. */
  readonly branches: Branches;
  /** Code points of the longest plain token. */
  readonly longest: number;
  /** What may come within a string that may hold anything, by how long it may still get. */
  readonly withinStrings = new Map<number, Int32Array>();
  readonly #bytes: readonly (string | undefined)[];
  readonly #byLength: Int32Array[];

  private constructor(
    { vocabSize, stopTokens }: GrammarVocabulary,
    bytes: readonly (string | undefined)[],
    tries: Pick<Vocabulary, 'all' | 'plain' | 'quoting' | 'special'>,
    branches: Branches,
    byLength: Int32Array[],
  ) {
    this.vocabSize = vocabSize;
    this.stopTokens = stopTokens;
    this.all = tries.all;
    this.plain = tries.plain;
    this.quoting = tries.quoting;
    this.special = tries.special;
    this.branches = branches;
    this.longest = byLength.length - 1;
    this.#bytes = bytes;
    this.#byLength = byLength;
  }

  /** In slices: a vocabulary of 150,000 tokens takes a quarter of a second in all. */
  static async of(vocabulary: GrammarVocabulary): Promise<Vocabulary> {
    const pace = new Pace(Infinity);
    const { tokens, vocabSize, stopTokens } = vocabulary;
    const decode = DECODERS[vocabulary.encoding];
    const stops = new Set(stopTokens);
    const bytes: (string | undefined)[] = new Array(vocabSize);
    const characters: (string | undefined)[] = new Array(vocabSize);
    const [all, plain, quoting, special]: number[][] = [[], [], [], []];
    for (let token = 0; token < Math.min(tokens.length, vocabSize); token++) {
      if (token % 64 === 0 && pace.due) await pace.rest();
      if (stops.has(token) || tokens[token] === '') continue;
      const text = decode(tokens[token]);
      bytes[token] = text;
      all.push(token);
      characters[token] = plainText(text);
      if (characters[token] !== undefined) plain.push(token);
      else (text.includes('"') ? quoting : special).push(token);
    }
    const tries = {
      all: await TokenTrie.of(all, bytes, pace),
      plain: await TokenTrie.of(plain, characters, pace),
      quoting: await TokenTrie.of(quoting, bytes, pace),
      special: await TokenTrie.of(special, bytes, pace),
    };
    const branches = await branchesOf(tries.plain, pace);
    const byLength = await masksByLength(tries.plain, vocabSize, pace);
    return new Vocabulary(vocabulary, bytes, tries, branches, byLength);
  }

  /** Words of a mask. */
  get maskLength(): number {
    return Math.ceil(this.vocabSize / 32);
  }

  /** A token's bytes, as a text of code points up to 255; undefined for what is no text. */
  bytesOf(token: number): string | undefined {
    return this.#bytes[token];
  }

  /** The plain tokens of at most so many code points. */
  plainUpTo(length: number): Int32Array {
    return this.#byLength[Math.max(0, Math.min(length, this.longest))];
  }
}

/** By length: the plain tokens that are no longer. */
async function masksByLength(
  plain: TokenTrie,
  vocabSize: number,
  pace: Pace,
): Promise<Int32Array[]> {
  const words = Math.ceil(vocabSize / 32);
  const masks: Int32Array[] = [new Int32Array(words)];
  const ends: number[] = [];
  for (let node = 0; node < plain.size; node++) {
    while (ends.length > 0 && node >= ends[ends.length - 1]) ends.pop();
    ends.push(plain.ends[node]);
    const length = ends.length;
    if (!plain.hasTokens(node)) continue;
    while (masks.length <= length) masks.push(new Int32Array(words));
    plain.allow(node, masks[length]);
    if (node % 64 === 0 && pace.due) await pace.rest();
  }
  for (let length = 1; length < masks.length; length++) {
    for (let i = 0; i < words; i++) masks[length][i] |= masks[length - 1][i];
    if (pace.due) await pace.rest();
  }
  return masks;
}

/** GPT-2's `bytes_to_unicode`, the other way round. */
const BYTES_OF_UNICODE = (() => {
  const isPrintable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = new Map<number, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) bytes.set(isPrintable(byte) ? byte : next++, byte);
  return bytes;
})();

const DECODERS: Record<GrammarVocabulary['encoding'], (token: string) => string> = {
  raw: utf8,
  byte_level(token) {
    let text = '';
    for (let i = 0; i < token.length; i++) {
      const byte = BYTES_OF_UNICODE.get(token.charCodeAt(i));
      if (byte === undefined) return utf8(token); // added beside the others, as it is
      text += String.fromCharCode(byte);
    }
    return text;
  },
  byte_fallback(token) {
    const [, hex] = /^<0x([\dA-Fa-f]{2})>$/.exec(token) ?? [];
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return utf8(token.replaceAll('▁', ' '));
  },
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A text's bytes, as code points up to 255. */
function utf8(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is meant
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  return String.fromCharCode(...encoder.encode(text));
}

/**
 * The characters that bytes stand for, where they may stand in a JSON string as they are. (A token
 * that is U+FFFD itself counts as one that is not whole; it is only slower.)
 */
function plainText(bytes: string): string | undefined {
  let isAscii = true;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charCodeAt(i);
    if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) return undefined;
    if (byte > 0x7f) isAscii = false;
  }
  if (isAscii) return bytes;
  const raw = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) raw[i] = bytes.charCodeAt(i);
  const text = decoder.decode(raw);
  return text.includes('\ufffd') ? undefined : text;
}

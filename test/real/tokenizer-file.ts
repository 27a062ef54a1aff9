/** Where a model's special tokens are, and how many ids there are in all. */
export interface Vocabulary {
  readonly size: number;
  readonly endOfText: number;
  readonly messageStart: number;
  readonly messageEnd: number;
}

/** Qwen's special tokens are where they really are; in other models they are the last three ids. */
export function vocabularyFor(modelType: string, size: number): Vocabulary {
  if (modelType.startsWith('qwen') && size > 151_645) {
    return { size, endOfText: 151_643, messageStart: 151_644, messageEnd: 151_645 };
  }
  return { size, endOfText: size - 1, messageStart: size - 3, messageEnd: size - 2 };
}

/** Words that chat templates put into every prompt: one token each, as in real vocabularies. */
const ROLES = ['system', 'user', 'assistant'];

/**
 * A tokenizer.json in the format of Hugging Face's tokenizers: byte-level BPE whose first 256 ids are the
 * bytes, then the roles and pairs of letters, then words of three and four letters until the ids before the special tokens
 * are used up. So any text can be encoded, English at about three letters a token, and any id has a text.
 */
export function tokenizerFile(vocabulary: Vocabulary): string {
  const firstSpecial = Math.min(
    vocabulary.endOfText,
    vocabulary.messageStart,
    vocabulary.messageEnd,
  );
  const vocab = new Map<string, number>();
  const merges: string[] = [];
  for (const char of byteCharacters()) vocab.set(char, vocab.size);
  const merge = (left: string, right: string) => {
    if (vocab.size >= firstSpecial || vocab.has(left + right)) return;
    vocab.set(left + right, vocab.size);
    merges.push(`${left} ${right}`);
  };
  for (const role of ROLES) {
    for (let end = 1; end < role.length; end++) merge(role.slice(0, end), role.charAt(end));
  }
  const letters = [...'etaoinshrdlcumwfgypbvkjxqz'];
  const pairs = letters.flatMap((first) => letters.map((second) => first + second));
  for (const letter of letters) merge('Ġ', letter);
  for (const pair of pairs) merge(pair.charAt(0), pair.charAt(1));
  for (const letter of letters) for (const pair of pairs) merge(`Ġ${letter}`, pair);
  for (const first of pairs) for (const second of pairs) merge(first, second);
  const special = new Map([
    [vocabulary.endOfText, '<|endoftext|>'],
    [vocabulary.messageStart, '<|im_start|>'],
    [vocabulary.messageEnd, '<|im_end|>'],
  ]);
  const added_tokens = [];
  for (let id = vocab.size; id < vocabulary.size; id++) {
    added_tokens.push({
      id,
      content: special.get(id) ?? `<|extra_${id}|>`,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: special.has(id),
    });
  }
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false };
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens,
    normalizer: null,
    pre_tokenizer: { ...byteLevel, use_regex: true },
    post_processor: null,
    decoder: { ...byteLevel, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  });
}

/** The printable character that byte-level BPE writes for each byte (GPT-2's mapping). */
function byteCharacters(): string[] {
  let shifted = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
    return String.fromCharCode(printable ? byte : shifted++);
  });
}

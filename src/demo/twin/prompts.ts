import type { ChatMessage, Tempo } from '../../client';
import { WordTokenizer } from '../../lab';
import type { AppName } from '../design/apps';

/** What every call of an app begins with. */
const SYSTEM: Record<AppName, string> = {
  chat: 'You are a helpful assistant. Answer briefly.',
  agent: 'You are an agent. Plan, use what the tools found, then answer.',
  summarizer: 'Summarize the text.',
};

/** Short words, one token each with any tokenizer; what they say does not matter, how many there are does. */
const WORDS =
  'the tide comes in and goes out again while the boats wait for the wind and the men look at the sea as it is by day and by night in rain or sun'.split(
    ' ',
  );

/** So many words tell what one word comes to. */
const SAMPLE = 200;

/** Makes prompts and answers of a wanted length in tokens. */
export class Prompts {
  readonly #tempo: Pick<Tempo, 'countTokens'>;
  readonly #tokenizer = new WordTokenizer();
  /** Tokens of an app's prompt without words, and tokens a word. */
  readonly #sizes = new Map<AppName, Promise<{ fixed: number; word: number }>>();

  constructor(tempo: Pick<Tempo, 'countTokens'>) {
    this.#tempo = tempo;
  }

  /** Another engine may have another tokenizer. */
  forget(): void {
    this.#sizes.clear();
  }

  /** A prompt of about so many tokens that begins like no other but those of the same id. */
  async of(app: AppName, id: string, tokens: number): Promise<ChatMessage[]> {
    let size = this.#sizes.get(app);
    if (size === undefined) {
      size = this.#measure(app);
      this.#sizes.set(app, size);
      size.catch(() => this.#sizes.delete(app));
    }
    const { fixed, word } = await size;
    return messages(app, `${id} ${words(Math.max(0, Math.round((tokens - fixed) / word)))}`);
  }

  /** What the simulated engine is to say, so that the answer has so many tokens, its end included. */
  reply(text: string, tokens: number): string {
    let whole = text;
    let ids = this.#tokenizer.encode(whole);
    while (ids.length < tokens - 1) {
      whole += whole === '' ? words(16) : `\n\n${text === '' ? words(16) : text}`;
      ids = this.#tokenizer.encode(whole);
    }
    return this.#tokenizer.decode(ids.subarray(0, Math.max(1, tokens - 1)));
  }

  async #measure(app: AppName): Promise<{ fixed: number; word: number }> {
    const count = (n: number) =>
      this.#tempo.countTokens({ messages: messages(app, `r100 ${words(n)}`) });
    const [few, many] = [await count(8), await count(8 + SAMPLE)];
    const word = Math.max(0.25, (many - few) / SAMPLE);
    return { fixed: few - 8 * word, word };
  }
}

function messages(app: AppName, text: string): ChatMessage[] {
  return [
    { role: 'system', content: SYSTEM[app] },
    { role: 'user', content: text },
  ];
}

function words(count: number): string {
  return Array.from({ length: count }, (_, i) => WORDS[i % WORDS.length]).join(' ');
}

/** Loaded when a text is first to be gone on with. */
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChoiceLogprobs,
  TextCompletion,
  TextCompletionChunk,
  TextCompletionParams,
  TextLogprobs,
} from '../worker/protocol';
import type { Api } from './api';
import type { CompletionStream } from './completion-stream';
import { crossing } from './crossing';
import { request } from './request';
import type { RequestOptions, TextCompletionStream, TextCompletions } from './types';

/** `completions`, for one app or program. */
export class TextCompletionCalls implements TextCompletions {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  create = (async (
    given: TextCompletionParams,
    options?: RequestOptions | null,
  ): Promise<TextCompletionStream | TextCompletion> => {
    const params = await crossing(given);
    const { link, caller } = this.#api;
    const stream = textOf(await request(link, caller, { kind: 'text', params }, options));
    return params.stream ? stream : stream.final();
  }) as TextCompletions['create'];
}

/** What the server says of a text completion, in OpenAI's shape. */
export function textOf(stream: CompletionStream): TextCompletionStream {
  return new TextStream(stream);
}

/** A request's events on their way to its caller, as OpenAI's text completions. */
class TextStream implements TextCompletionStream {
  readonly #stream: CompletionStream;
  /** How far each choice's tokens have come in its text. */
  readonly #ends = new Map<number, TextEnd>();

  constructor(stream: CompletionStream) {
    this.#stream = stream;
  }

  get id(): string {
    return this.#stream.id;
  }

  get estimatedWaitMs(): number {
    return this.#stream.estimatedWaitMs;
  }

  abort = (): void => this.#stream.abort();

  final = async (): Promise<TextCompletion> => wholeText(await this.#stream.final());

  async *[Symbol.asyncIterator](): AsyncGenerator<TextCompletionChunk, void, undefined> {
    for await (const chunk of this.#stream) yield this.#textChunk(chunk);
  }

  #textChunk({ choices, ...chunk }: ChatCompletionChunk): TextCompletionChunk {
    return {
      ...chunk,
      object: 'text_completion',
      choices: choices.map(({ index, delta, logprobs, finish_reason: reason }) => {
        const end = this.#ends.get(index) ?? new TextEnd();
        this.#ends.set(index, end);
        return {
          index,
          text: delta.content ?? '',
          ...(delta.token_ids && { token_ids: delta.token_ids }),
          ...(delta.prompt_token_ids && { prompt_token_ids: delta.prompt_token_ids }),
          logprobs: logprobs === null ? null : textLogprobs(logprobs, end),
          finish_reason: reason === 'tool_calls' ? 'stop' : reason,
        };
      }),
    };
  }
}

function wholeText({ choices, ...completion }: ChatCompletion): TextCompletion {
  return {
    ...completion,
    object: 'text_completion',
    choices: choices.map(({ index, message, logprobs, finish_reason: reason }) => ({
      index,
      text: message.content ?? '',
      logprobs: logprobs === null ? null : textLogprobs(logprobs, new TextEnd()),
      finish_reason: reason === 'tool_calls' ? 'stop' : reason,
    })),
  };
}

/** Where a text ends whose bytes come token by token. */
class TextEnd {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #characters = 0;

  /** Where the token with these bytes begins, characters. */
  add(bytes: readonly number[]): number {
    const start = this.#characters;
    this.#characters += this.#decoder.decode(Uint8Array.from(bytes), { stream: true }).length;
    return start;
  }
}

/** Chat's logprobs in the older shape; `end` is moved past them. */
function textLogprobs({ content, simulated }: ChoiceLogprobs, end: TextEnd): TextLogprobs {
  return {
    tokens: content.map(({ token }) => token),
    token_logprobs: content.map(({ logprob }) => logprob),
    top_logprobs: content.map(({ top_logprobs: top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: content.map(({ bytes }) => end.add(bytes)),
    ...(simulated && { simulated }),
  };
}

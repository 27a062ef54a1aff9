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
  /** Characters that each choice has come to, and its logprobs' tokens. */
  readonly #ends = new Map<number, number>();

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
        const from = this.#ends.get(index) ?? 0;
        const told = logprobs === null ? null : textLogprobs(logprobs, from);
        this.#ends.set(index, from + (told?.tokens.join('').length ?? 0));
        return {
          index,
          text: delta.content ?? '',
          ...(delta.token_ids && { token_ids: delta.token_ids }),
          ...(delta.prompt_token_ids && { prompt_token_ids: delta.prompt_token_ids }),
          logprobs: told,
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
      logprobs: logprobs === null ? null : textLogprobs(logprobs, 0),
      finish_reason: reason === 'tool_calls' ? 'stop' : reason,
    })),
  };
}

/** Chat's logprobs in the older shape; the first token begins at character `from`. */
function textLogprobs({ content }: ChoiceLogprobs, from: number): TextLogprobs {
  let at = from;
  return {
    tokens: content.map(({ token }) => token),
    token_logprobs: content.map(({ logprob }) => logprob),
    top_logprobs: content.map(({ top_logprobs: top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: content.map(({ token }) => {
      at += token.length;
      return at - token.length;
    }),
  };
}

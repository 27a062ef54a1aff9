import {
  type ChatCompletion,
  type ChatCompletionParams,
  type Slo,
  TempoError,
} from '../worker/protocol';
import { CompletionStream } from './completion-stream';
import { crossing } from './crossing';
import { checkSignal, ended } from './ended';
import type { Link } from './link';
import type { ChatCompletionStream, Completions, RequestOptions } from './types';

/** Whose calls these are. */
export interface Caller {
  readonly app: string;
  readonly slo: Slo;
  /** The program they belong to, once the server knows it. */
  readonly program?: () => Promise<string>;
}

/** More choices than a request may have are refused by the server; here they must not take memory. */
const MAX_CHOICES = 128;

/** `chat.completions`, for one app or program. */
export class ChatCompletions implements Completions {
  readonly #link: Link;
  readonly #caller: Caller;

  constructor(link: Link, caller: Caller) {
    this.#link = link;
    this.#caller = caller;
  }

  create = (async (
    params: ChatCompletionParams,
    options?: RequestOptions | null,
  ): Promise<ChatCompletionStream | ChatCompletion> => {
    const request = await crossing(params);
    if (typeof request !== 'object' || request === null) {
      throw new TempoError('invalid_request', 'A request is an object with messages.', {
        param: 'messages',
      });
    }
    const stream = await this.#begin(request, checkSignal(options?.signal));
    return request.stream ? stream : stream.final();
  }) as Completions['create'];

  /** Submits, and resolves when the server has queued the request. */
  async #begin(params: ChatCompletionParams, signal?: AbortSignal): Promise<CompletionStream> {
    if (signal?.aborted) throw ended(signal);
    const { n } = params;
    const stream = new CompletionStream({
      id: newId(),
      choices: typeof n === 'number' && n <= MAX_CHOICES ? Math.max(1, Math.trunc(n)) : 1,
      includeUsage: params.stream_options?.include_usage === true,
      abort: (id) => this.#abort(id),
    });
    this.#link.add(stream);
    const onAbort = () => {
      if (signal === undefined) return;
      stream.fail(ended(signal));
      this.#abort(stream.id);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    stream.ended.then(() => signal?.removeEventListener('abort', onAbort));
    try {
      await Promise.race([this.#submit(stream, params), stream.ended]);
    } catch (thrown) {
      stream.fail(TempoError.from(thrown, 'invalid_request'));
    }
    // Ended before it was queued: refused, aborted, or its worker died.
    if (stream.error !== undefined) throw stream.error;
    return stream;
  }

  async #submit(stream: CompletionStream, params: ChatCompletionParams): Promise<void> {
    await this.#link.ready;
    const { app, slo, program } = this.#caller;
    const programId = await program?.();
    if (!stream.open) return; // aborted meanwhile
    const outcome = await this.#link.host.submit({
      id: stream.id,
      app,
      params,
      slo: params.slo ?? slo,
      program: programId,
    });
    if (!outcome.ok) throw TempoError.fromJSON(outcome.error);
    if (stream.open) stream.accepted(outcome.value);
    else this.#abort(stream.id);
  }

  #abort(id: string): void {
    this.#link.host.abort(id).catch(() => {}); // a dead worker computes nothing
  }
}

function newId(): string {
  return `chatcmpl-${crypto.getRandomValues(new Uint32Array(3)).join('')}`;
}

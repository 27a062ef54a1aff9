import {
  type ChatCompletion,
  type ChatCompletionParams,
  type Slo,
  TempoError,
} from '../worker/protocol';
import { assemble } from './assemble';
import { CompletionStream } from './completion-stream';
import { aborted, type Link } from './link';
import type { ChatCompletionStream, Completions, RequestOptions } from './types';

/** Whose calls these are. */
export interface Caller {
  readonly app: string;
  readonly slo: Slo;
  /** The program they belong to, once the server knows it. */
  readonly program?: () => Promise<string>;
}

/** `chat.completions`, for one app or program. */
export class ChatCompletions implements Completions {
  readonly #link: Link;
  readonly #caller: Caller;

  constructor(link: Link, caller: Caller) {
    this.#link = link;
    this.#caller = caller;
  }

  create(
    params: ChatCompletionParams & { stream: true },
    options?: RequestOptions,
  ): Promise<ChatCompletionStream>;
  create(
    params: ChatCompletionParams & { stream?: false },
    options?: RequestOptions,
  ): Promise<ChatCompletion>;
  create(
    params: ChatCompletionParams,
    options?: RequestOptions,
  ): Promise<ChatCompletionStream | ChatCompletion>;
  async create(
    params: ChatCompletionParams,
    { signal }: RequestOptions = {},
  ): Promise<ChatCompletionStream | ChatCompletion> {
    const stream = await this.#begin(params, signal);
    return params.stream ? stream : assemble(stream);
  }

  /** Submits, and resolves when the server has queued the request. */
  async #begin(params: ChatCompletionParams, signal?: AbortSignal): Promise<CompletionStream> {
    if (signal?.aborted) throw aborted(signal);
    const stream = new CompletionStream({
      id: newId(),
      choices: typeof params.n === 'number' ? params.n : 1,
      includeUsage: params.stream_options?.include_usage === true,
      abort: (id) => this.#abort(id),
    });
    this.#link.add(stream);
    const onAbort = () => {
      if (signal === undefined) return;
      stream.fail(aborted(signal));
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
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `chatcmpl-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Loaded when embeddings are first asked for. */
import {
  type EmbeddingParams,
  type EmbeddingResponse,
  type EmbeddingResult,
  TempoError,
} from '../worker/protocol';
import { crossing } from './crossing';
import { ended, signalOf } from './ended';
import type { Link } from './link';
import { randomId } from './random-id';
import type { Caller } from './request';
import type { Embeddings, RequestOptions } from './types';
import { unwrap } from './unwrap';

/** `embeddings`, for one app. */
export class EmbeddingCalls implements Embeddings {
  readonly #link: Link;
  readonly #caller: Caller;

  constructor(link: Link, caller: Caller) {
    this.#link = link;
    this.#caller = caller;
  }

  create = (async (
    params: EmbeddingParams,
    options?: RequestOptions | null,
  ): Promise<EmbeddingResponse<number[] | string>> => {
    const signal = signalOf(options);
    if (signal?.aborted) throw ended(signal);
    const request = await crossing(params);
    if (typeof request !== 'object' || request === null) {
      throw new TempoError('invalid_request', 'A request for embeddings is an object with input.', {
        param: 'input',
      });
    }
    const result = await this.#embed(request, signal);
    const encode = request.encoding_format === 'base64' ? base64 : Array.from<number>;
    return {
      object: 'list',
      data: result.vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: encode(vector),
      })),
      model: result.model,
      usage: result.usage,
      simulated: result.simulated,
    };
  }) as Embeddings['create'];

  async #embed(params: EmbeddingParams, signal: AbortSignal | undefined): Promise<EmbeddingResult> {
    const { host } = this.#link;
    const id = `embd-${randomId()}`;
    let end = () => {};
    let fail: (error: TempoError) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    // Ends with the worker, and with the Tempo, as every open request does.
    this.#link.add({ id, ended: over, fail, take: () => {} });
    const onAbort = () => {
      if (signal === undefined) return;
      fail(ended(signal));
      host.abort(id).catch(() => {}); // a dead worker computes nothing
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#link.sendable(), failed]);
      const { app, slo } = this.#caller;
      const submission = { id, app, params, slo: params.slo ?? slo };
      return unwrap(await Promise.race([host.embed(submission), failed]));
    } finally {
      signal?.removeEventListener('abort', onAbort);
      end();
    }
  }
}

/** Of the numbers as 32-bit floats, little-endian, as the OpenAI API has it. */
function base64(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(4 * vector.length));
  for (const [i, value] of vector.entries()) bytes.setFloat32(4 * i, value, true);
  let text = '';
  for (const byte of new Uint8Array(bytes.buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}

import {
  type ChatCompletionParams,
  type EmbeddingParams,
  type EmbeddingResponse,
  TempoError,
  type TextCompletionParams,
} from '../../worker/protocol';
import type { Api } from '../api';
import type { CompletionStream } from '../completion-stream';
import { EmbeddingCalls } from '../embeddings';
import { type Caller, request } from '../request';
import type { Fields } from './call';
import type { Replied } from './reply';
import { partTempo, type TempoFields } from './tempo-fields';

/** One call of `fetch`, and what it is answered with. */
export interface Exchange extends Replied {
  /** Answers it, unless it names another app or a program. */
  api: Api;
}

/** A body without what Tempo adds to it, and how to have a request from it answered. */
export interface Order {
  body: Fields;
  /**
   * Resolves when the request is queued. `clientParam` says what the client calls the field that the
   * server calls so.
   */
  chat(params: Fields, clientParam?: (param: string) => string): Promise<CompletionStream>;
  text(params: Fields): Promise<CompletionStream>;
  embeddings(params: Fields): Promise<EmbeddingResponse<number[] | string>>;
}

/** Throws a problem where the body is not as it should be. */
export async function orderOf({ call, api }: Exchange): Promise<Order> {
  const { rest: body, tempo, place } = partTempo(await call.body(), call.headers);
  const { link } = api;
  const caller = callerOf(api, tempo);
  const { slo, stage } = tempo;
  const { signal } = call;
  /** What it holds is for the server to check. */
  const asked = <Params>(fields: Fields, more: Fields = { slo, stage }) => {
    const said = Object.entries(more).filter(([, value]) => value !== undefined);
    return { ...fields, ...Object.fromEntries(said) } as unknown as Params;
  };
  return {
    body,
    chat: (fields, clientParam = (param) => param) => {
      const wish = { params: asked<ChatCompletionParams>(fields) };
      const stream = request(link, caller, wish, { signal });
      return renamed(stream, (param) => clientParam(place(param)));
    },
    text: (fields) => {
      const wish = { kind: 'text' as const, params: asked<TextCompletionParams>(fields) };
      return renamed(request(link, caller, wish, { signal }), place);
    },
    embeddings: (fields) => {
      const calls = new EmbeddingCalls(link, caller);
      return renamed(calls.create(asked<EmbeddingParams>(fields, { slo }), { signal }), place);
    },
  };
}

/** Errors name the field as the client does. */
async function renamed<T>(answer: Promise<T>, clientParam: (param: string) => string): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (!(thrown instanceof TempoError) || thrown.param === undefined) throw thrown;
    const { code, message, retryAfterMs } = thrown;
    const param = clientParam(thrown.param);
    throw new TempoError(code, message, { param, retryAfterMs, cause: thrown });
  }
}

function callerOf(api: Api, { app, program }: TempoFields): Caller {
  const caller = app === undefined ? api.caller : api.app(app).caller;
  const within = program === undefined ? api.caller.program : async () => program;
  if (within === undefined) return caller;
  return { app: caller.app, slo: { class: 'program' }, program: within };
}

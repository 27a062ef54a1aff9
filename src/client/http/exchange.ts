import {
  type ChatCompletionParams,
  TempoError,
  type TextCompletionParams,
} from '../../worker/protocol';
import type { Api } from '../api';
import type { CompletionStream } from '../completion-stream';
import type { Caller, request as submit } from '../request';
import type { Fields } from './call';
import type { Replied } from './reply';
import { partTempo, type TempoFields } from './tempo-fields';

/** One call of `fetch`, and what it is answered with. */
export interface Exchange extends Replied {
  /** Answers it, unless it names another app or a program. */
  api: Api;
  submit: typeof submit;
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
}

/** Throws a problem where the body is not as it should be. */
export async function orderOf({ call, api, submit }: Exchange): Promise<Order> {
  const { rest: body, tempo, place } = partTempo(await call.body(), call.headers);
  const caller = callerOf(api, tempo);
  const own = { ...(tempo.slo && { slo: tempo.slo }), ...(tempo.stage && { stage: tempo.stage }) };
  const { signal } = call;
  const named = async (
    stream: Promise<CompletionStream>,
    clientParam: (param: string) => string,
  ): Promise<CompletionStream> => {
    try {
      return await stream;
    } catch (thrown) {
      if (!(thrown instanceof TempoError) || thrown.param === undefined) throw thrown;
      const { code, message, retryAfterMs } = thrown;
      const param = clientParam(place(thrown.param));
      throw new TempoError(code, message, { param, retryAfterMs, cause: thrown });
    }
  };
  return {
    body,
    // What they hold is for the server to check.
    chat: (fields, clientParam = (param) => param) => {
      const params = { ...fields, ...own } as unknown as ChatCompletionParams;
      return named(submit(api.link, caller, { params }, { signal }), clientParam);
    },
    text: (fields) => {
      const params = { ...fields, ...own } as unknown as TextCompletionParams;
      return named(
        submit(api.link, caller, { kind: 'text', params }, { signal }),
        (param) => param,
      );
    },
  };
}

function callerOf(api: Api, { app, program }: TempoFields): Caller {
  const caller = app === undefined ? api.caller : api.app(app).caller;
  const within = program === undefined ? api.caller.program : async () => program;
  if (within === undefined) return caller;
  return { app: caller.app, slo: { class: 'program' }, program: within };
}

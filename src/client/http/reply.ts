import type { Call } from './call';
import type { Problem } from './problem';

/**
 * A request with this header gets a whole answer's head as soon as it is queued, and the body when it is
 * there; if it breaks off, reading fails. A service worker in Chromium hears of an abort in no other way
 * than by the body being let go.
 */
export const EARLY_HEAD = 'x-tempo-early-head';

const JSON_TYPE = { 'content-type': 'application/json' };
const EVENT_TYPE = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
};

/** What is answered, and how it is called. */
export interface Replied {
  readonly call: Call;
  /** As in OpenAI's `x-request-id`. */
  readonly requestId: string;
}

/** A whole answer that is there. */
export function jsonReply(value: unknown, { requestId }: Replied): Response {
  return reply(200, JSON.stringify(value), JSON_TYPE, requestId);
}

export function problemReply({ status, body, headers }: Problem, requestId: string): Response {
  return reply(status, JSON.stringify(body), { ...JSON_TYPE, ...headers }, requestId);
}

/** A whole answer that is being made. `cancel` is called where nobody waits for it any more. */
export async function wholeReply(
  whole: () => Promise<unknown>,
  cancel: () => void,
  replied: Replied,
): Promise<Response> {
  if (!replied.call.headers.has(EARLY_HEAD)) return jsonReply(await whole(), replied);
  async function* pieces() {
    yield JSON.stringify(await whole());
  }
  return streamReply(pieces(), cancel, JSON_TYPE, replied);
}

/** An answer that streams. `events` are text, and throw nothing: an error is the last event. */
export function eventReply(
  events: AsyncIterator<string>,
  cancel: () => void,
  replied: Replied,
): Response {
  return streamReply(events, cancel, EVENT_TYPE, replied);
}

/**
 * The pieces are taken from their source as fast as they are read; what comes meanwhile waits there.
 * Once the call is aborted, reading fails with its signal's reason, as with the web's `fetch`.
 */
function streamReply(
  pieces: AsyncIterator<string>,
  cancel: () => void,
  headers: Record<string, string>,
  { call: { signal }, requestId }: Replied,
): Response {
  const encoder = new TextEncoder();
  let onAbort = () => {};
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      onAbort = () => controller.error(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    },
    async pull(controller) {
      const { value, done } = await pieces.next();
      if (signal.aborted) return; // it has failed
      if (!done) return controller.enqueue(encoder.encode(value));
      signal.removeEventListener('abort', onAbort);
      controller.close();
    },
    cancel() {
      signal.removeEventListener('abort', onAbort);
      cancel();
    },
  });
  return reply(200, body, headers, requestId);
}

function reply(
  status: number,
  body: BodyInit,
  headers: Record<string, string>,
  requestId: string,
): Response {
  return new Response(body, { status, headers: { ...headers, 'x-request-id': requestId } });
}

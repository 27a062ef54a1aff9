import type { Problem } from './problem';

/** A whole answer. */
export function jsonReply(value: unknown, requestId: string): Response {
  return reply(200, JSON.stringify(value), { 'content-type': 'application/json' }, requestId);
}

export function problemReply({ status, body, headers }: Problem, requestId: string): Response {
  const text = JSON.stringify(body);
  return reply(status, text, { 'content-type': 'application/json', ...headers }, requestId);
}

/** What a stream of server-sent events is made from. */
export interface EventSource {
  /** The events, as text. Throws nothing: an error is the last event. */
  events: AsyncIterator<string>;
  /** Nobody reads on. */
  cancel: () => void;
}

/**
 * An answer that streams. It is taken from its source as fast as it is read; what comes meanwhile waits
 * there. Once `signal` is aborted, reading fails with the signal's reason, as with the web's `fetch`.
 */
export function eventReply(
  { events, cancel }: EventSource,
  requestId: string,
  signal: AbortSignal,
): Response {
  const encoder = new TextEncoder();
  let onAbort = () => {};
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      onAbort = () => controller.error(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    },
    async pull(controller) {
      const { value, done } = await events.next();
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
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  };
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

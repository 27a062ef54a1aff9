import { EARLY_HEAD } from '../client/http/reply';
import type { Fetch } from '../client/types';
import { TempoError } from '../worker/protocol';
import { ASK, type ToPage, type ToWorker } from './protocol';

/**
 * Lets the page's service worker answer requests with this Tempo (or app, or program), those of this
 * page and of others; in the service worker, `handleTempoRequests` has to run. Returns how to stop;
 * what is being answered then goes on. Of several offers of one page the first counts.
 *
 * Throws `unsupported` where there are no service workers (pages without https, but for localhost).
 */
export function offerToServiceWorker(tempo: { readonly fetch: Fetch }): () => void {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (container === undefined) {
    throw new TempoError(
      'unsupported',
      'There are no service workers here. Serve the page by https, or from localhost.',
    );
  }
  const listen = (event: MessageEvent<unknown>) => {
    const [port] = event.ports;
    if (event.data !== ASK || port === undefined) return;
    event.stopImmediatePropagation(); // another offer would answer, too
    new Answer(port, tempo.fetch);
  };
  container.addEventListener('message', listen);
  container.startMessages();
  return () => container.removeEventListener('message', listen);
}

/** The page's part in answering one request. */
class Answer {
  readonly #port: MessagePort;
  readonly #fetch: Fetch;
  readonly #controller = new AbortController();
  #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;

  constructor(port: MessagePort, fetch: Fetch) {
    this.#port = port;
    this.#fetch = fetch;
    port.onmessage = (event: MessageEvent<ToPage>) => void this.#take(event.data);
    this.#say({ type: 'here' });
  }

  async #take(message: ToPage): Promise<void> {
    if (message.type === 'cancel') {
      this.#controller.abort();
      this.#port.close();
      return;
    }
    try {
      await (message.type === 'pull' ? this.#next() : this.#begin(message));
    } catch (thrown) {
      const words = thrown instanceof Error ? thrown.message : String(thrown);
      this.#say({ type: 'error', message: words });
      this.#port.close();
    }
  }

  async #begin({
    url,
    method,
    headers,
    body,
  }: Extract<ToPage, { type: 'request' }>): Promise<void> {
    const { signal } = this.#controller;
    const early: [string, string] = [EARLY_HEAD, 'true'];
    const response = await this.#fetch(url, { method, headers: [...headers, early], body, signal });
    this.#reader = response.body?.getReader();
    this.#say({ type: 'response', status: response.status, headers: [...response.headers] });
  }

  async #next(): Promise<void> {
    const { value } = (await this.#reader?.read()) ?? {};
    if (value !== undefined) return this.#say({ type: 'piece', piece: value });
    this.#say({ type: 'end' });
    this.#port.close();
  }

  #say(message: ToWorker): void {
    this.#port.postMessage(message);
  }
}

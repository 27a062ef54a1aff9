import { Problem } from '../client/http/problem';
import { problemReply } from '../client/http/reply';
import { randomId } from '../client/random-id';
import { TempoError } from '../worker/protocol';
import { Forward } from './forward';
import { type PageClients, Pages } from './pages';

/** The part of a fetch event that is used. */
export interface FetchEventLike {
  readonly request: Request;
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
  waitUntil(done: Promise<unknown>): void;
}

/** A service worker's global scope: `self` there. */
export interface ServiceWorkerScope {
  readonly clients: PageClients;
  readonly location: { readonly href: string };
  addEventListener(type: 'fetch', listener: (event: FetchEventLike) => void): void;
}

export interface HandleOptions {
  /**
   * Which addresses are answered: those below this path, or below this address, where requests to
   * another origin are meant (`https://api.openai.com/v1`). Relative to the service worker's script.
   * Default: `/v1`.
   */
  prefix?: string | null;
}

/**
 * In a service worker: answers the OpenAI API's addresses below `prefix` with the Tempo of a page that
 * offers one (`offerToServiceWorker`), the asking page's own first; with 503 where no page does. All
 * other requests are left alone. Call it when the script starts, with `self`.
 *
 * Throws `invalid_request` for a prefix that would answer everything.
 */
export function handleTempoRequests(
  scope: ServiceWorkerScope,
  options?: HandleOptions | null,
): void {
  const base = baseOf(options?.prefix ?? '/v1', scope.location.href);
  const pages = new Pages(scope.clients);
  scope.addEventListener('fetch', (event) => {
    const { origin, pathname } = new URL(event.request.url);
    if (origin === base.origin && pathname.startsWith(base.pathname)) answer(event, pages);
  });
}

/** The address of a prefix, with a slash at its end. */
function baseOf(prefix: string, script: string): URL {
  const base = URL.canParse(prefix, script) ? new URL(prefix, script) : undefined;
  if (base === undefined || prefix === '' || /^\/*$/.test(base.pathname)) {
    throw new TempoError(
      'invalid_request',
      'The prefix must have a path, such as /v1: without one no page would load any more.',
      { param: 'prefix' },
    );
  }
  base.pathname = base.pathname.replace(/\/*$/, '/');
  return base;
}

function answer(event: FetchEventLike, pages: Pages): void {
  const { request, clientId } = event;
  const respond = async () => {
    const page = await pages.find(clientId);
    if (page === undefined) return unavailable('No open page offers a Tempo.');
    const forward = new Forward(page, pages, request);
    event.waitUntil(forward.done);
    try {
      return await forward.response();
    } catch (thrown) {
      return unavailable(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  event.respondWith(respond());
}

function unavailable(why: string): Response {
  const problem = new Problem(503, 'not_loaded', `${why} Open one, and try again.`, {
    type: 'server_error',
    headers: { 'retry-after': '1' },
  });
  return problemReply(problem, `req_${randomId()}`);
}

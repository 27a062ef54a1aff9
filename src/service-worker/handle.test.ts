import { describe, expect, it } from 'vitest';
import { type FetchEventLike, handleTempoRequests, type ServiceWorkerScope } from './handle';

// What `self` is in a service worker, to TypeScript, is what is asked for.
const accepts = (scope: ServiceWorkerGlobalScope) => handleTempoRequests(scope);

/** A service worker's script at /app/sw.js with no page open; says what it answers a request with. */
function start(prefix?: string | null): (url: string) => Promise<Response> | undefined {
  let listen: (event: FetchEventLike) => void = () => {};
  const scope: ServiceWorkerScope = {
    location: { href: 'https://page.example/app/sw.js' },
    clients: { matchAll: async () => [], get: async () => undefined },
    addEventListener: (_, listener) => {
      listen = listener;
    },
  };
  handleTempoRequests(scope, { prefix });
  return (url) => {
    let answer: Promise<Response> | undefined;
    const respondWith = (response: Promise<Response>) => {
      answer = response;
    };
    listen({ request: new Request(url), clientId: '', respondWith, waitUntil: () => {} });
    return answer;
  };
}

describe('a service worker', () => {
  it.each<[string | null | undefined, string[], string[]]>([
    [
      undefined,
      ['https://page.example/v1/models', 'https://page.example/v1/chat/completions?x=1'],
      [
        'https://page.example/v1',
        'https://page.example/v12/models',
        'https://other.example/v1/models',
      ],
    ],
    [null, ['https://page.example/v1/models'], ['https://page.example/app/v1/models']],
    ['./v1/', ['https://page.example/app/v1/models'], ['https://page.example/v1/models']],
    [
      'https://api.openai.com/v1',
      ['https://api.openai.com/v1/models'],
      ['https://page.example/v1/models', 'https://api.openai.com/v2/models'],
    ],
  ])('with prefix %s answers what is below it, and nothing else', async (prefix, own, others) => {
    const ask = start(prefix);
    for (const url of own) {
      const response = (await ask(url)) ?? Response.error();
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('1');
      expect(response.headers.get('x-request-id')).toMatch(/^req_/);
      expect((await response.json()).error).toMatchObject({ code: 'not_loaded', param: null });
    }
    for (const url of others) expect(ask(url)).toBeUndefined();
  });

  it.each(['/', '', './..', '//', 'https://api.openai.com'])(
    'takes no prefix like "%s"',
    (prefix) => {
      expect(() => start(prefix)).toThrow(
        expect.objectContaining({ code: 'invalid_request', param: 'prefix' }),
      );
    },
  );

  it('is what TypeScript knows one as', () => {
    expect(accepts).toBeTypeOf('function');
  });
});

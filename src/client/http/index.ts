/** `fetch` on a Tempo: the OpenAI API's addresses, answered in the page. Loaded when first called. */
import type { Api } from '../api';
import { randomId } from '../random-id';
import { Call } from './call';
import { answerChat, answerText } from './completions';
import { answerEmbeddings } from './embeddings';
import type { Exchange } from './exchange';
import { answerModel, answerModels } from './models';
import { Problem } from './problem';
import { problemReply } from './reply';
import { answerResponses } from './responses';

interface Route {
  path: RegExp;
  method: 'GET' | 'POST';
  answer: (exchange: Exchange) => Promise<Response>;
}

const ROUTES: readonly Route[] = [
  { path: /^\/chat\/completions$/, method: 'POST', answer: answerChat },
  { path: /^\/completions$/, method: 'POST', answer: answerText },
  { path: /^\/responses$/, method: 'POST', answer: answerResponses },
  { path: /^\/embeddings$/, method: 'POST', answer: answerEmbeddings },
  { path: /^\/models$/, method: 'GET', answer: answerModels },
  { path: /^\/models\/.+$/, method: 'GET', answer: answerModel },
];

/**
 * Answers one call of `fetch`. Rejects only as the web's `fetch` does: for arguments that are none, and
 * with the signal's reason once that is aborted. Every other error is a response.
 */
export async function answer(
  api: Api,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  const call = new Call(input, init);
  const requestId = `req_${randomId()}`;
  const { signal } = call;
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    const replied = routed({ call, api, requestId });
    return await Promise.race([replied, aborted]);
  } catch (thrown) {
    signal.throwIfAborted();
    return problemReply(Problem.from(thrown), requestId);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function routed(exchange: Exchange): Promise<Response> {
  const { path, method } = exchange.call;
  const routes = ROUTES.filter((route) => route.path.test(path));
  if (routes.length === 0) {
    const known = 'chat/completions, completions, responses, embeddings, models';
    throw new Problem(404, 'unknown_url', `There is no ${path || '/'} here, only ${known}.`);
  }
  const route = routes.find((one) => one.method === method);
  if (route !== undefined) return route.answer(exchange);
  const allow = routes.map((one) => one.method).join(', ');
  throw new Problem(405, 'method_not_allowed', `${path} takes ${allow}, not ${method}.`, {
    headers: { allow },
  });
}

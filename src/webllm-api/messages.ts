/** What goes between a page and a worker besides what Tempo says. */
import type { WorkerScript } from './package-worker';

/** What a page says to a `WebWorkerMLCEngineHandler` first. WebLLM's own would refuse it by its kind. */
export const SERVE = 'tempo-serve';

export interface ServeMessage {
  kind: typeof SERVE;
  uuid: string;
  content: WorkerScript;
}

export function isServeMessage(data: unknown): data is ServeMessage {
  return kindOf(data) === SERVE;
}

/** WebLLM's requests of one's own, for subclasses of its engine and its handler. */
export interface CustomRequestParams {
  requestName: string;
  requestMessage: string;
}

/** A request to a handler, in WebLLM's shape. */
export interface WorkerRequest {
  kind: string;
  uuid: string;
  content: unknown;
}

/** A handler's answer to one. */
export interface WorkerResponse {
  kind: 'return' | 'throw';
  uuid: string;
  content: unknown;
}

export function isResponse(data: unknown): data is WorkerResponse {
  const kind = kindOf(data);
  return kind === 'return' || kind === 'throw';
}

/** Undefined for what is in another shape: Tempo's own messages, and the page's. */
export function kindOf(data: unknown): string | undefined {
  const kind: unknown = typeof data === 'object' && data !== null && Reflect.get(data, 'kind');
  return typeof kind === 'string' ? kind : undefined;
}

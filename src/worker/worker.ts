/**
 * A worker's entry: a server, for the page that made the worker, or as a SharedWorker for every page
 * that connects. Where it is imported outside a worker it does nothing.
 *
 * @module tempo-llm/worker
 */
import type { Endpoint } from 'comlink';
import { TempoServer } from '../server';
import { listen, serve } from './serve';

declare const self: object;

if ('DedicatedWorkerGlobalScope' in globalThis) {
  listen(new TempoServer(), self as Endpoint);
} else if ('SharedWorkerGlobalScope' in globalThis) {
  const server = new TempoServer();
  (self as { onconnect?: (event: MessageEvent) => void }).onconnect = ({ ports }) =>
    serve(server, ports[0]);
}

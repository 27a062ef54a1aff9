import { type Endpoint, expose } from 'comlink';
import type { TempoServer } from '../server';
import type { TempoHost } from '../server/host';
import { GREETING } from './greeting';
import { Session } from './session';

/**
 * Offers a server to whoever holds the other end of `port`: a MessagePort, or the global scope of a
 * dedicated worker. Several may share one server; each has its own requests, and one that leaves takes
 * nothing from the others.
 */
export function serve(server: TempoServer, port: Endpoint): void {
  const session = new Session(server);
  if ('addEventListener' in port) port.addEventListener('close', () => void session.dispose());
  listen(session, port);
}

/** Lets the other end of `port` call the host. */
export function listen(host: TempoHost, port: Endpoint): void {
  expose(host, port);
  const greet = () => port.postMessage(GREETING);
  port.addEventListener('message', (event) => {
    if (event instanceof MessageEvent && event.data === GREETING) greet();
  });
  greet();
}

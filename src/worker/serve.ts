import { type Endpoint, expose } from 'comlink';
import type { TempoServer } from '../server';
import { Session } from './session';

/**
 * Offers a server to whoever holds the other end of `port`: a MessagePort, or the global scope of a
 * dedicated worker. Several may share one server; each has its own requests, and one that leaves takes
 * nothing from the others.
 */
export function serve(server: TempoServer, port: Endpoint): void {
  const session = new Session(server);
  if ('addEventListener' in port) port.addEventListener('close', () => void session.dispose());
  expose(session, port);
}

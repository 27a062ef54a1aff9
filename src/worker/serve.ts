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
  const leave = () => void session.dispose();
  if ('addEventListener' in port) port.addEventListener('close', leave); // in Node
  listen(session, port, leave);
}

/** Lets the other end of `port` call the host; `onGone` is called when its page has gone. */
export function listen(host: TempoHost, port: Endpoint, onGone = () => {}): void {
  expose(host, port);
  const greet = () => port.postMessage(GREETING);
  port.addEventListener('message', (event) => {
    const said: unknown = 'data' in event ? event.data : undefined;
    if (typeof said !== 'string' || !said.startsWith(GREETING)) return;
    greet();
    if (said !== GREETING) void whenReleased(said, onGone);
  });
  greet();
}

/** A lock that nobody holds is one of another origin, which is not to be seen from here. */
async function whenReleased(lock: string, then: () => void): Promise<void> {
  const { locks } = navigator;
  const isHeld = await locks.request(lock, { ifAvailable: true }, (got) => got === null);
  if (isHeld) await locks.request(lock, then);
}

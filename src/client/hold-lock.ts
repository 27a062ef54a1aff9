/** Loaded where a server is not this page's own. */
import { GREETING } from '../worker/protocol';
import { randomId } from './random-id';

/** A server that others use, too, has to learn that this page has gone: a lock tells it, which is free then. */
export function holdLock(port: MessagePort): void {
  const name = `${GREETING} ${randomId()}`;
  const untilGone = () => {
    port.postMessage(name);
    return new Promise(() => {});
  };
  // Where there are no locks, nobody tells.
  globalThis.navigator?.locks?.request(name, untilGone).catch(() => {});
}

import { TempoError } from '../../client';

/** Names that this page holds where the browser has no locks. */
const HELD = new Set<string>();

/** Takes a session for one generation of all pages; returns how to let go. Throws where it is taken. */
export async function lockSession(sessionId: string): Promise<() => void> {
  const name = `tempo-webllm:${sessionId}`;
  const release = await (globalThis.navigator?.locks === undefined ? hold(name) : lock(name));
  if (release !== undefined) return release;
  throw new TempoError('invalid_request', `Resumable session is already active: ${sessionId}.`, {
    param: 'sessionId',
  });
}

function hold(name: string): (() => void) | undefined {
  if (HELD.has(name)) return undefined;
  HELD.add(name);
  return () => HELD.delete(name);
}

/** It ends with the page at the latest. */
function lock(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (taken) => {
        if (taken === null) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

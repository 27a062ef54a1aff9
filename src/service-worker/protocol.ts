/**
 * What a service worker and a page say to each other, about one request through one MessagePort: the
 * worker asks, a page that offers a Tempo says that it is here, and gets the request. Its answer's body
 * comes piece by piece, each when it is asked for.
 */

/** Goes to every page, with the port. */
export const ASK = 'tempo-llm:ask';

export type ToPage =
  | {
      type: 'request';
      url: string;
      method: string;
      headers: [string, string][];
      body: ArrayBuffer | undefined;
    }
  /** The next piece of the body is wanted. */
  | { type: 'pull' }
  /** Nobody waits for the rest. */
  | { type: 'cancel' };

export type ToWorker =
  | { type: 'here' }
  | { type: 'response'; status: number; headers: [string, string][] }
  | { type: 'piece'; piece: Uint8Array<ArrayBuffer> }
  | { type: 'end' }
  /** It broke off, or there was no answer at all. */
  | { type: 'error'; message: string };

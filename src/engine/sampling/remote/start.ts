import { openWorker } from './open-worker';

/**
 * Starts a worker for grammars beside the worker that runs this. Undefined where none can be had: there
 * grammars are this thread's own work. One that is refused later dies at once, which comes to the same.
 */
export function startGrammarWorker(): Worker | undefined {
  if (!('DedicatedWorkerGlobalScope' in globalThis) || typeof Worker === 'undefined') {
    return undefined;
  }
  try {
    return openWorker();
  } catch {
    return undefined; // a policy of the page's forbids it
  }
}

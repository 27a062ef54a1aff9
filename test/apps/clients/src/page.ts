/** The page's Tempo, and what the checks have in common. */
import { createTempo, type SimulatedReply, type Snapshot, type Tempo } from 'tempo-llm';
import { failure } from './check';

export const MODEL = 'laptop-gpu';
export const BASE_URL = 'https://tempo.invalid/v1';

export const tempo = createTempo({ engine: 'simulated' });

/**
 * The app's `fetch`, with what the simulated engine is to answer, call by call; the last for all that
 * follow. (A model needs no such thing; `openai` could send it in the body by itself.)
 */
export function answering(...replies: SimulatedReply[]): typeof globalThis.fetch {
  const left = [...replies];
  return async (input, init) => {
    const simulate = left.length > 1 ? left.shift() : left[0];
    const body = typeof init?.body === 'string' ? JSON.parse(init.body) : {};
    const sent = JSON.stringify({ ...body, simulate });
    return tempo.app('clients').fetch(input, { ...init, body: sent });
  };
}

/** A Tempo of one's own, for what others would be disturbed by. */
export async function apart<T>(
  options: { maxWaiting?: number; embeddingModels?: string[] },
  work: (own: Tempo) => Promise<T>,
): Promise<T> {
  const own = createTempo({ engine: 'simulated', ...options });
  try {
    await own.ready;
    return await work(own);
  } finally {
    await own.dispose();
  }
}

/** Resolves with the first snapshot that `wanted` likes. */
export function seen(
  wanted: (snapshot: Snapshot) => boolean,
  of: Tempo = tempo,
): Promise<Snapshot> {
  return new Promise((resolve) => {
    const stop = of.watch((snapshot) => {
      if (!wanted(snapshot)) return;
      resolve(snapshot);
      queueMicrotask(() => stop());
    }, 20);
  });
}

/** Resolves once nothing is live and no page is used any more but for the prefix cache. */
export async function idle(of: Tempo = tempo): Promise<void> {
  await seen(
    ({ live, kv }) =>
      live.resident + live.waiting === 0 && kv.freePages + kv.cachedPages >= kv.totalPages,
    of,
  );
}

/** Resolves when a live request of this app has this objective. */
export async function servedAs(app: string, sloClass: string): Promise<void> {
  await seen(({ requests }) => requests.some((one) => one.app === app && one.class === sloClass));
}

/** Aborts one of `openai`'s streams, and resolves once it has ended for that. */
export async function stopped(stream: { abort(): void; done(): Promise<void> }): Promise<void> {
  const ended = failure(stream.done());
  stream.abort();
  await ended;
}

import type { Tempo } from '../client';

/** Has a Tempo that the page shares load what is wanted, unless that is what it has, or is loading. */
export async function loadShared(
  tempo: Tempo,
  has: (tempo: Tempo) => boolean,
  load: () => Promise<void>,
): Promise<void> {
  if (tempo.state.phase === 'loading') await tempo.ready.catch(() => {});
  if (!has(tempo)) await load();
}

/** It is ready, with this model and these embedding models. */
export function serves(
  { state }: Tempo,
  model: string | undefined,
  embeddings: readonly string[],
): boolean {
  if (state.phase !== 'ready') return false;
  const { engine } = state;
  const there = [engine.model, ...(engine.embeddingModels ?? [])];
  return [...(model === undefined ? [] : [model]), ...embeddings].every((id) => there.includes(id));
}

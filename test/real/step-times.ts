import { BatchCache, loadEngine } from './batch-cache';
import type { RealRun } from './entry';

const BATCHES = [1, 2, 4, 8];
const CONTEXT = 16;
const STEPS = 3;

/** Measures what a model's steps cost on this device: decodes by batch size and a prefill, first and later. */
export default async function stepTimes(run: RealRun): Promise<void> {
  const since = (start: number) => `${((performance.now() - start) / 1000).toFixed(2)} s`;
  const start = performance.now();
  const engine = await loadEngine(run);
  run.log(`load, with shaders: ${since(start)}`);
  const cache = new BatchCache(engine, run, 8, 1024, 256);
  const prompt = Array.from({ length: CONTEXT }, (_, i) => 300 + i);
  for (let id = 0; id < 8; id++) {
    cache.add(id);
    const began = performance.now();
    await cache.forward([{ id, tokens: prompt }]);
    if (id < 2) run.log(`prefill of ${CONTEXT}, ${id === 0 ? 'first' : 'again'}: ${since(began)}`);
  }
  for (const batch of BATCHES) {
    const members = Array.from({ length: batch }, (_, id) => ({ id, tokens: [400 + id] }));
    const first = performance.now();
    await cache.forward(members);
    const firstTook = since(first);
    const later = performance.now();
    for (let step = 0; step < STEPS; step++) await cache.forward(members);
    const each = (performance.now() - later) / STEPS / 1000;
    run.log(
      `decode of ${batch}: first ${firstTook}, then ${each.toFixed(2)} s a step, ` +
        `${(each / batch).toFixed(2)} s a token`,
    );
  }
  await engine.unload();
}

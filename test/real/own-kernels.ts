import * as webllm from '@mlc-ai/web-llm';
import { watchGpu } from '../../src/engine/webllm/gpu-watch';
import type { RealRun } from './entry';

/**
 * Kernels of our own against the library's, on the library's own shapes: throws where results differ.
 * How much faster they are says nothing of a GPU where the device is a CPU.
 */
export default async function ownKernels(run: RealRun): Promise<unknown> {
  const watch = watchGpu(navigator.gpu);
  const engine = new webllm.MLCEngine({
    appConfig: { model_list: [run.record] },
    logLevel: 'WARN',
  });
  await engine.reload(run.record.model_id, { context_window_size: 64 });
  watch.stop();
  if (watch.ownKernels === undefined) throw new Error('The device was not watched.');
  const startMs = performance.now();
  const trial = await watch.ownKernels.tryOut();
  const tookMs = performance.now() - startMs;
  await engine.unload();
  if (trial.unequal.length > 0) throw new Error(`Not equal: ${trial.unequal.join(', ')}.`);
  return { ...trial, tookMs };
}

import * as webllm from '@mlc-ai/web-llm';
import { BatchModel } from '../../src/engine/webllm/batch-model';
import { type GpuWatch, watchGpu } from '../../src/engine/webllm/gpu-watch';
import { gpuBuffers, readInternals } from '../../src/engine/webllm/internals';
import { calibrate, selfTest } from '../../src/engine/webllm/self-test';
import type { RealRun } from './entry';

/**
 * The engine's self-test on a real model, in numbers; `unfixed` leaves the kernels as they are. Then
 * the calibration, and what a hundred opened, grown, forked and closed sequences leave behind.
 */
export default async function selfTestRun(run: RealRun): Promise<unknown> {
  const watch: GpuWatch = watchGpu(navigator.gpu, { fixKernels: !run.args.includes('unfixed') });
  const engine = new webllm.MLCEngine({
    appConfig: { model_list: [run.record] },
    logLevel: 'WARN',
  });
  await engine.reload(run.record.model_id, { context_window_size: 64 });
  watch.stop();
  const internals = readInternals(engine, run.record.model_id);
  if (typeof internals === 'string') throw new Error(internals);
  const before = gpuBuffers(internals.pipeline);
  const model = new BatchModel(internals, { sequences: 12, tokens: 1024, chunk: 1024 });
  const pages = model.availablePages;
  const start = performance.now();
  const report = await selfTest(model, internals.pipeline);
  const testMs = performance.now() - start;
  run.log(`self-test ${Math.round(testMs)} ms: ${JSON.stringify(report)}`);
  const allocated = gpuBuffers(internals.pipeline);
  if (!run.args.includes('brief')) {
    const size = { maxBatch: 8, chunk: 64, budgetMs: 20_000 };
    run.log(`costs: ${JSON.stringify(await calibrate(model, internals.pipeline, size))}`);
  }
  for (let i = 0; i < 100; i++) {
    model.open(0);
    model.close(0);
  }
  const result = {
    fixedKernels: watch.fixedKernels,
    distances: report.distances,
    testMs,
    pages: [pages, model.availablePages],
    buffers: [before, allocated, gpuBuffers(internals.pipeline)],
  };
  model.dispose();
  await engine.unload();
  return result;
}

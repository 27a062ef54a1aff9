import * as webllm from '@mlc-ai/web-llm';
import { BatchModel } from '../../src/engine/webllm/batch-model';
import { type GpuWatch, watchGpu } from '../../src/engine/webllm/gpu-watch';
import { gpuBuffers, readInternals } from '../../src/engine/webllm/internals';
import { calibrate, distance, Probe, selfTest } from '../../src/engine/webllm/self-test';
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
  const chain = await forkChain(model, new Probe(model, internals.pipeline));
  run.log(`a chain of forks: ${chain}`);
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
    distances: { ...report.distances, chain },
    testMs,
    pages: [pages, model.availablePages],
    buffers: [before, allocated, gpuBuffers(internals.pipeline)],
  };
  model.dispose();
  await engine.unload();
  return result;
}

/** How far a prompt computed on forks of forks is from the same prompt computed whole. */
async function forkChain(model: BatchModel, probe: Probe): Promise<number> {
  const tokens = probe.tokens(72, 7);
  model.open(0);
  const [whole] = await probe.logits([0, tokens]);
  model.open(1);
  let [chained] = await probe.logits([1, tokens.subarray(0, 18)]);
  for (let link = 1; link < 4; link++) {
    model.fork(link, link + 1, 18 * link);
    [chained] = await probe.logits([link + 1, tokens.subarray(18 * link, 18 * link + 18)]);
  }
  model.clear();
  return distance(chained, whole);
}

import type { StepEngine } from '../../src/engine/step-engine';
import { loadWebLlmEngine } from '../../src/engine/webllm';
import { type GpuWatch, watchGpu } from '../../src/engine/webllm/gpu-watch';
import { gpuBuffers } from '../../src/engine/webllm/internals';
import type { WebLlmEngine } from '../../src/engine/webllm/webllm-engine';
import { TempoError } from '../../src/scheduler';
import type { RealRun } from './entry';
import { keptPipelines } from './kept-pipelines';

/**
 * An engine's life on a real model: requests, forks and aborts leave GPU buffers and pages as they
 * were; the device is taken away in the middle of a step; a second engine goes on with the text.
 */
export default async function life(run: RealRun): Promise<unknown> {
  const watch: GpuWatch = watchGpu(navigator.gpu, { fixKernels: false });
  const { webllm, pipelines } = keptPipelines();
  const load = () =>
    loadWebLlmEngine({
      model: run.record.model_id,
      appConfig: { model_list: [run.record] },
      webllm,
      maxSequences: 4,
      keepPrefixes: 2,
      kvBudgetBytes: 64 * 2 ** 20,
    });

  const engine = await load();
  const prompt = Array.from(
    engine.model.tokenizer.encode('What keeps the tempo steady? '.repeat(16)),
  );
  const pages: number[] = [];
  const buffers: (number | undefined)[] = [];
  for (let round = 0; round < 3; round++) {
    add(engine, 'a', [...prompt, 10 + round]);
    await step(engine, { a: prompt.length + 1 - cachedOf(engine, 'a') });
    add(engine, 'b', [...prompt, 20 + round]);
    await step(engine, { a: 1, b: prompt.length + 1 - cachedOf(engine, 'b') });
    engine.remove('a');
    await step(engine, { b: 1 });
    // Eviction and a start from a part of another's page, with the runtime's count to compare.
    const twin = [...prompt.slice(0, -3), 30 + round];
    add(engine, 'twin', twin);
    await step(engine, { twin: twin.length - cachedOf(engine, 'twin') });
    engine.remove('b');
    engine.remove('twin');
    pages.push(engine.kv.freePages);
    const { counted, available } = (engine as WebLlmEngine).unheldPages;
    if (counted !== available) throw new Error(`${counted} pages counted, ${available} available.`);
    buffers.push(gpuBuffers(pipelines[0])?.buffers);
    run.log(`round ${round}: ${pages[round]} pages free, ${buffers[round]} buffers`);
  }
  // The first round makes what the runtime keeps (pools, staging); then nothing may come to it.
  if (new Set(pages).size > 1) throw new Error(`Pages leak: ${pages.join()}.`);
  if (buffers[1] !== buffers[2]) throw new Error(`GPU buffers leak: ${buffers.join()}.`);

  add(engine, 'c', prompt);
  const text = [tokenOf(await step(engine, { c: prompt.length - cachedOf(engine, 'c') }), 'c')];
  text.push(tokenOf(await step(engine, { c: 1 }), 'c'));
  const broken = step(engine, { c: 1 });
  watch.device?.destroy();
  const error = await broken.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TempoError) || error.code !== 'engine_lost') {
    throw new Error(`A step on a lost device ended with ${String(error)}.`);
  }
  run.log(`lost: ${(await engine.lost).message}`);
  await engine.dispose();

  const again = await load();
  add(again, 'c', [...prompt, ...text], prompt.length);
  const next = tokenOf(await step(again, { c: prompt.length + text.length }), 'c');
  add(again, 'whole', prompt);
  const whole = [
    tokenOf(await step(again, { whole: prompt.length - cachedOf(again, 'whole') }), 'whole'),
  ];
  for (let i = 0; i < 2; i++) whole.push(tokenOf(await step(again, { whole: 1 }), 'whole'));
  await again.dispose();
  if ([...text, next].join() !== whole.join()) throw new Error('The text went on otherwise.');
  return { pages, buffers, text: [...text, next], whole };
}

const cached = new WeakMap<StepEngine, Map<string, number>>();

function add(engine: StepEngine, id: string, tokens: number[], promptTokens = tokens.length): void {
  const sampling = { temperature: 0, topP: 1, seed: 0, ignoreEos: true };
  const { cachedTokens } = engine.add({ id, tokens, promptTokens, sampling });
  const known = cached.get(engine) ?? new Map<string, number>();
  cached.set(engine, known.set(id, cachedTokens));
}

function cachedOf(engine: StepEngine, id: string): number {
  return cached.get(engine)?.get(id) ?? 0;
}

async function step(engine: StepEngine, work: Record<string, number>) {
  const members = Object.entries(work).map(([sequenceId, tokens]) => ({ sequenceId, tokens }));
  return (await engine.step({ work: members })).sampled;
}

function tokenOf(sampled: Awaited<ReturnType<typeof step>>, id: string): number {
  return sampled.get(id)?.token ?? -1;
}

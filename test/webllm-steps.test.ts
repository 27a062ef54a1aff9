import { expect, it } from 'vitest';
import { StepWatch } from '../bench/webllm-steps';
import { createTempo } from '../src/client';
import { STAND_IN_MODEL, StandIn } from '../src/engine/testing/stand-in';
import { loadWebLlmEngine } from '../src/engine/webllm';
import { WebLlmEngine } from '../src/engine/webllm/webllm-engine';
import { TempoServer } from '../src/server';

it('says where a decode step goes: its parts make it up, and prefills are left out', async () => {
  const world = new StandIn();
  const engine = await loadWebLlmEngine({
    model: STAND_IN_MODEL,
    webllm: world.webllm,
    gpu: world.gpu,
    maxSequences: 4,
    kvBudgetBytes: 1 << 16,
  });
  if (!(engine instanceof WebLlmEngine))
    throw new Error('The stand-in is to be served in batches.');
  const watch = new StepWatch(engine);
  const server = new TempoServer({
    engines: { webllm: { check: async () => {}, load: async () => engine } },
  });
  const tempo = createTempo({ engine: 'webllm', model: STAND_IN_MODEL, host: server });
  await tempo.ready;
  const ask = (content: string) =>
    tempo.app('bench').chat.completions.create({
      messages: [{ role: 'user', content }],
      max_tokens: 12,
      ignore_eos: true,
    });
  for (const contents of [['one'], ['one', 'two', 'three']]) {
    const before = engine.times.steps;
    const parts = await watch.during(() => Promise.all(contents.map(ask)));
    expect(parts.steps).toBeGreaterThanOrEqual(11);
    expect(parts.steps).toBeLessThan(engine.times.steps - before);
    const { betweenMs, issueMs, overlapMs, waitMs, drawMs } = parts;
    for (const ms of [betweenMs, issueMs, overlapMs, waitMs, drawMs]) {
      expect(ms).toBeGreaterThanOrEqual(0);
    }
    expect(betweenMs).toBeGreaterThan(0);
    const sum = betweenMs + issueMs + overlapMs + waitMs + drawMs;
    expect(sum).toBeLessThanOrEqual(parts.stepMs + 1e-6);
    expect(sum).toBeGreaterThan(0.5 * parts.stepMs);
    expect(parts.idleMs).toBeCloseTo(betweenMs + issueMs + drawMs, 9);
  }
  await tempo.dispose();
});

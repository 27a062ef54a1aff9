import { describe, expect, it } from 'vitest';
import type { ServerState, Snapshot } from '../../client';
import { DEVICE_PROFILES } from '../../lab';
import { Device } from './device';

const ready = (kind: 'simulated' | 'webllm', model: string): ServerState => ({
  phase: 'ready',
  engine: { kind, model, device: 'a device', mode: 'batched', notes: [], kvBytes: 0 },
  limits: {
    contextWindow: 2048,
    maxPromptTokens: 2047,
    defaults: { temperature: 1, topP: 1 },
    images: false,
  },
});

/** Steps that follow one another at once, each decoding so many. */
function steps(count: number, tookMs: (tokens: number) => number, sizes: readonly number[]) {
  let atMs = 0;
  return Array.from({ length: count }, (_, number) => {
    const tokens = sizes[number % sizes.length];
    const startMs = atMs;
    atMs += tookMs(tokens);
    const kind = tokens > 8 ? ('prefill' as const) : ('decode' as const);
    const work = [{ requestId: 'r', app: 'chat', kind, tokens }];
    return { number, startMs, endMs: atMs - 1, work, preempted: [], finished: [] };
  });
}

function snapshot(done: Snapshot['steps']): Snapshot {
  // Only what a device is read from; the rest does not matter here.
  const part: Partial<Snapshot> = {
    atMs: done.at(-1)?.endMs,
    steps: done,
    requests: [],
    capacity: { maxBatch: 4, maxSequences: 6, contextWindow: 2048 },
    kv: { totalPages: 512, freePages: 100, cachedPages: 0 },
  };
  return part as Snapshot;
}

describe('the device below', () => {
  it('is the simulated one above, as fast as it was measured', () => {
    const device = new Device();
    const laptop = DEVICE_PROFILES['laptop-gpu'];
    expect(device.follow(ready('simulated', 'laptop-gpu'))).toBe(true);
    expect(device.follow(ready('simulated', 'laptop-gpu'))).toBe(false);
    const nominalMs = laptop.overheadMs + laptop.weightsMs;
    device.add(snapshot(steps(300, () => 1.5 * nominalMs, [4])));
    expect(device.scale).toBeCloseTo(1.5, 1);
    const { overheadMs, maxBatch, totalPages, contextWindow } = device.profile;
    expect(overheadMs).toBeCloseTo(1.5 * laptop.overheadMs, 1);
    expect({ maxBatch, totalPages, contextWindow }).toEqual({
      maxBatch: 4,
      totalPages: 512,
      contextWindow: 2048,
    });
  });

  it('learns a real one from the time that its steps take', () => {
    const device = new Device();
    device.follow(ready('webllm', 'Some-Model'));
    expect(device.isKnown).toBe(false);
    device.add(
      snapshot(steps(600, (tokens) => 20 + 0.5 * Math.max(0, tokens - 4), [4, 104, 4, 254])),
    );
    expect(device.isKnown).toBe(true);
    const { overheadMs, weightsMs, computeMsPerToken } = device.profile;
    const tookMs = (tokens: number) => overheadMs + Math.max(weightsMs, tokens * computeMsPerToken);
    expect(tookMs(4)).toBeGreaterThan(15);
    expect(tookMs(4)).toBeLessThan(25);
    expect(tookMs(254)).toBeGreaterThan(115);
    expect(tookMs(254)).toBeLessThan(170);
  });
});

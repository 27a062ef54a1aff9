import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEVICE_PROFILES, type DeviceProfile } from '../engine/simulated';
import { POLICY_NAMES, type Slo } from '../scheduler';
import { fluidBound } from './bound';
import type { Mix } from './objectives';
import { labRun } from './run';
import { makeWorkload } from './spec';
import type { Arrival, Workload } from './workload';

/** A step takes 10 ms however much is in it; one sequence at a time. */
const METRONOME: DeviceProfile = {
  ...DEVICE_PROFILES['server-8b'],
  overheadMs: 10,
  weightsMs: 0,
  computeMsPerToken: 0,
  kvMsPerToken: 0,
  maxBatch: 1,
};

function ask(id: string, slo: Slo, outputTokens: number, atMs = 0): Arrival {
  const call = { stage: 'answer', promptTokens: 100, outputTokens, maxTokens: 1024 };
  return { kind: 'request', id, app: 'app', atMs, slo, call };
}

function workload(arrivals: Arrival[], profile = METRONOME): Workload {
  return { name: 'test', profile, arrivals };
}

describe('the fluid bound', () => {
  it('is all the gain there is when there is time for everything', () => {
    const easy = workload([
      ask('a', { class: 'deadline', ttlt: 1000 }, 50),
      ask('b', { class: 'latency', ttft: 1000, tbt: 100 }, 20),
      ask('c', { class: 'best-effort' }, 10),
    ]);
    // 100 for a prompt and 8 for each token; best effort counts a tenth.
    expect(fluidBound(easy)).toBeCloseTo(500 + 260 + 18, 6);
  });

  it('turns away the less dense of two that exclude each other', () => {
    // 500 ms of work each, due within 500: with bits of both, the gain of the denser is the most.
    const rivals = workload([
      ask('a', { class: 'deadline', ttlt: 500 }, 50),
      { ...ask('b', { class: 'deadline', ttlt: 500 }, 50) },
    ]);
    expect(fluidBound(rivals)).toBeCloseTo(500, 0);
  });

  it('knows that an answer cannot come faster than one token a step', () => {
    // 1,000 ms are needed; only (500/1000)^100 is left of the gain.
    const hopeless = workload([ask('a', { class: 'deadline', ttlt: 500 }, 100)]);
    expect(fluidBound(hopeless)).toBeLessThan(1e-20);
    expect(fluidBound(hopeless, { alpha: 1 })).toBeCloseTo(900 * 0.5, 0);
  });

  it('is never exceeded by any policy', { timeout: 120_000 }, async () => {
    const specs = fc.record({
      name: fc.constantFrom('paper', 'page'),
      requests: fc.integer({ min: 5, max: 60 }),
      load: fc.double({ min: 0.2, max: 8, noNaN: true }),
      seed: fc.nat(1000),
      mix: fc.constantFrom<Mix>(
        [1, 1, 1, 0],
        [1, 1, 1, 1],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ),
      profile: fc.constantFrom('server-8b', 'laptop-gpu', 'integrated-gpu'),
      slo: fc.constantFrom(
        { ttft: 1000, tbt: 100, ttlt: 10_000 },
        { ttft: 300, tbt: 30, ttlt: 2000 },
      ),
    });
    const property = fc.asyncProperty(
      specs,
      fc.constantFrom(...POLICY_NAMES),
      fc.constantFrom(0.5, 1, 5, 100),
      async ({ profile, ...rest }, policy, alpha) => {
        const fits = rest.name === 'page' || profile === 'server-8b';
        const load = makeWorkload({ ...rest, profile: fits ? profile : 'server-8b' });
        const gain = { alpha };
        const bound = fluidBound(load, gain);
        const { run } = await labRun(load, {
          policy,
          load: 1,
          seed: 1,
          gain,
          bound,
          wall: () => 0,
        });
        expect(run.gain).toBeLessThanOrEqual(bound * (1 + 1e-9));
      },
    );
    await fc.assert(property, { numRuns: 25, seed: 7 });
  });
});

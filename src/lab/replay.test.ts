import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEVICE_PROFILES } from '../engine/simulated';
import { createPolicy, POLICY_NAMES, type Policy, type Request } from '../scheduler';
import { passagesOf } from './passage';
import { replay } from './replay';
import { labRun } from './run';
import { makeWorkload } from './spec';
import { withoutPrefixes } from './variant';
import { type Arrival, type Call, requestCount, type Workload } from './workload';

const SERVER = DEVICE_PROFILES['server-8b'];

function call(promptTokens: number, outputTokens: number, ids?: number[]): Call {
  const prefix = ids && passagesOf(ids, 64);
  return { stage: 'answer', promptTokens, outputTokens, maxTokens: 1024, prefix };
}

function workload(arrivals: Arrival[]): Workload {
  return { name: 'test', profile: SERVER, arrivals };
}

describe('a replay', () => {
  it('brings a stage of a program when the one before has ended and the program has thought', async () => {
    const program: Arrival = {
      kind: 'program',
      id: 'p',
      app: 'agent',
      atMs: 500,
      deadlineMs: 60_000,
      stages: [
        { calls: [call(10, 5)], thinkMs: 0 },
        { calls: [call(10, 2), call(10, 40)], thinkMs: 250 },
        { calls: [call(10, 3)], thinkMs: 0 },
      ],
    };
    const ended: Request[] = [];
    const gains: number[] = [];
    await replay(workload([program]), {
      policy: createPolicy('sarathi'),
      watch: { finished: (r) => ended.push(r), programEnded: (_, gain) => gains.push(gain) },
    });
    const [plan, quick, slow, report] = ended;
    expect(plan.arrivalMs).toBe(500);
    expect(quick.arrivalMs).toBe((plan.endMs ?? 0) + 250);
    expect(slow.arrivalMs).toBe(quick.arrivalMs);
    expect(report.arrivalMs).toBe(slow.endMs);
    // Four prompts of 10, and 8 for each of 50 tokens.
    expect(gains).toEqual([440]);
  });

  it('takes one step for a prompt that fits and one for each further token', async () => {
    const arrival: Arrival = {
      kind: 'request',
      id: 'a',
      app: 'chat',
      atMs: 0,
      slo: { class: 'deadline', ttlt: 1000 },
      call: call(10, 4),
    };
    const scheduler = await replay(workload([arrival]), { policy: createPolicy('fcfs') });
    const context = 10 + 11 + 12 + 13;
    const expected = 4 * (SERVER.overheadMs + SERVER.weightsMs) + context * SERVER.kvMsPerToken;
    expect(scheduler.now).toBeCloseTo(expected, 9);
  });

  it('finds a prefix computed that came before, and nothing where none is shared', async () => {
    const arrivals = [0, 60_000].map((atMs, i): Arrival => {
      const slo = { class: 'best-effort' as const };
      return {
        kind: 'request',
        id: `r${i}`,
        app: 'chat',
        atMs,
        slo,
        call: call(640, 2, [1, 2, 3]),
      };
    });
    const cached: number[] = [];
    const watch = { submitted: (request: Request) => cached.push(request.cachedTokens) };
    const policy = () => createPolicy('sarathi');
    await replay(workload(arrivals), { policy: policy(), watch });
    await replay(withoutPrefixes(workload(arrivals)), { policy: policy(), watch });
    expect(cached).toEqual([0, 3 * 64, 0, 0]);
  });

  it('comes to its end even under a policy that lets requests lie', async () => {
    const lazy: Policy = { name: 'lazy', plan() {} };
    const spec = { name: 'paper', requests: 3, load: 1, seed: 1 };
    const scheduler = await replay(makeWorkload(spec), { policy: lazy });
    expect(scheduler.live).toBe(0);
  });

  it('ends every request once, with every token, under any policy, on any engine', {
    timeout: 60_000,
  }, async () => {
    const specs = fc.record({
      name: fc.constantFrom('paper', 'page'),
      requests: fc.integer({ min: 1, max: 40 }),
      load: fc.double({ min: 0.2, max: 10, noNaN: true }),
      seed: fc.nat(1000),
    });
    const property = fc.asyncProperty(
      specs,
      fc.constantFrom(...POLICY_NAMES),
      async (spec, name) => {
        const drawn = makeWorkload(spec);
        // So few pages that they run out.
        const profile = {
          ...drawn.profile,
          totalPages: Math.ceil(drawn.profile.contextWindow / 16),
        };
        const ended = new Set<Request>();
        const scheduler = await replay(
          { ...drawn, profile },
          {
            policy: createPolicy(name),
            watch: {
              finished: (request) => {
                expect(ended.has(request)).toBe(false);
                expect(request.generated).toBe(request.truth?.outputTokens);
                ended.add(request);
              },
            },
          },
        );
        expect(ended.size).toBe(requestCount(drawn.arrivals));
        expect(scheduler.live).toBe(0);
        expect(scheduler.programs.size).toBe(0);
        expect(scheduler.kv.freePages).toBe(profile.totalPages);
      },
    );
    await fc.assert(property, { numRuns: 30, seed: 11 });
  });
});

describe('a run', () => {
  it('is the same for the same seed', async () => {
    const spec = { name: 'page', requests: 80, load: 2, seed: 3 };
    const options = { policy: 'tempo', load: 2, seed: 3, bound: 0, wall: () => 0 };
    const first = await labRun(makeWorkload(spec), options);
    expect(await labRun(makeWorkload(spec), options)).toEqual(first);
  });

  it('counts gain as the scheduler does', async () => {
    const spec = { name: 'paper', requests: 80, load: 2, seed: 3 };
    const { run, details } = await labRun(makeWorkload(spec), {
      policy: 'edf',
      load: 2,
      seed: 3,
      bound: 0,
      wall: () => 0,
    });
    const byClass = Object.values(details.gainOf).reduce((a, b) => a + b, 0);
    expect(byClass).toBeCloseTo(run.gain, 3);
    expect(details.timeline.at(-1)?.gain).toBeCloseTo(run.gain, 3);
    const scheduler = await replay(makeWorkload(spec), { policy: createPolicy('edf') });
    expect(scheduler.metrics.snapshot().total.gain).toBeCloseTo(run.gain, 3);
  });
});

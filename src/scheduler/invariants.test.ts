import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from './clock';
import type { EngineCapabilities, EngineCapacity } from './executor';
import { runStep } from './loop';
import { createPolicy, POLICY_NAMES } from './policies';
import type { Program } from './program';
import type { Request, RequestEnd } from './request';
import { Scheduler } from './scheduler';
import type { Slo, SloClass } from './slo';
import { CountingEngine } from './testing/counting-engine';

interface Draft {
  kind: SloClass;
  promptTokens: number;
  outputTokens: number;
  /** ms after the one before. */
  gapMs: number;
  /** Aborted by its caller so long after its arrival, if it still runs then. */
  abortMs: number | null;
  /** Scale of its objective. */
  scale: number;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom<SloClass>('latency', 'deadline', 'program', 'best-effort'),
  promptTokens: fc.integer({ min: 1, max: 120 }),
  outputTokens: fc.integer({ min: 1, max: 40 }),
  gapMs: fc.constantFrom(0, 0, 5, 60, 400),
  abortMs: fc.option(fc.integer({ min: 0, max: 800 }), { freq: 6 }),
  scale: fc.constantFrom(0.01, 0.2, 1, 10),
});

/** Engines as small as can be, so that everything runs short. */
const engine = fc.record({
  capacity: fc.record({
    maxSequences: fc.integer({ min: 1, max: 6 }),
    maxBatch: fc.integer({ min: 1, max: 4 }),
    // The longest request alone must fit.
    totalPages: fc.integer({ min: 12, max: 40 }),
    maxPrefillTokens: fc.constantFrom(128, 160),
  }),
  capabilities: fc.record({
    batchedDecode: fc.boolean(),
    continuedPrefill: fc.boolean(),
    mixedSteps: fc.boolean(),
  }),
});

interface Outcome {
  /** The whole schedule, step by step. */
  schedule: string[];
  ends: Map<string, RequestEnd[]>;
}

async function play(
  policy: string,
  drafts: readonly Draft[],
  on: { capacity?: Partial<EngineCapacity>; capabilities?: Partial<EngineCapabilities> },
): Promise<Outcome> {
  const clock = new VirtualClock();
  const fake = new CountingEngine({ clock, ...on });
  const scheduler = new Scheduler({
    policy: createPolicy(policy),
    engine: fake,
    costs: fake.costs,
  });
  const lengths = new Map<Request, number>();
  const ends = new Map<string, RequestEnd[]>();
  const schedule: string[] = [];
  const aborts: { request: Request; atMs: number }[] = [];
  const programs: Program[] = [];
  const note = (request: Request) => {
    if (request.end !== undefined) ends.get(request.id)?.push(request.end);
  };
  const end = scheduler.end.bind(scheduler);
  scheduler.end = (request, how, nowMs) => {
    const first = end(request, how, nowMs);
    if (first) note(request);
    return first;
  };
  const keeper = {
    sequence: (request: Request) => ({
      id: request.id,
      tokens: { length: request.knownTokens },
      promptTokens: request.promptTokens,
      sampling: { temperature: 0, topP: 1, seed: 0 },
    }),
    token: (request: Request) => {
      expect(request.computed).toBeGreaterThanOrEqual(request.promptTokens);
      return request.generated >= (lengths.get(request) ?? 1) ? ('stop' as const) : null;
    },
    failed: (_request: Request, error: Error) => {
      throw error;
    },
  };
  const submit = (one: Draft, i: number) => {
    const program =
      one.kind === 'program'
        ? scheduler.startProgram(
            { id: `p${i}`, app: 'agent', deadlineMs: 3000 * one.scale },
            clock.now(),
          )
        : undefined;
    if (program !== undefined) programs.push(program);
    const { promptTokens, outputTokens, kind } = one;
    const request = scheduler.submit(
      {
        id: `r${i}`,
        app: kind,
        slo: sloOf(one),
        promptTokens,
        maxTokens: 64,
        program,
        truth: { outputTokens },
      },
      clock.now(),
    );
    lengths.set(request, outputTokens);
    ends.set(request.id, []);
    if (one.abortMs !== null) aborts.push({ request, atMs: clock.now() + one.abortMs });
  };

  let next = 0;
  let arrivalMs = drafts[0]?.gapMs ?? 0;
  for (let steps = 0; next < drafts.length || scheduler.live > 0; steps++) {
    expect(steps).toBeLessThan(20_000);
    while (next < drafts.length && arrivalMs <= clock.now()) {
      submit(drafts[next], next);
      next++;
      arrivalMs += drafts[next]?.gapMs ?? 0;
    }
    for (const { request, atMs } of aborts) {
      if (atMs <= clock.now()) scheduler.end(request, { kind: 'aborted' }, clock.now());
    }
    const step = await runStep(scheduler, fake, keeper, clock);
    expect(fake.kv.freePages).toBe(fake.capacity.totalPages - fake.heldPages);
    expect(fake.sequences).toBe(scheduler.resident.length);
    for (const program of programs) {
      if (program.calls.every((call) => call.ended)) scheduler.endProgram(program, clock.now());
    }
    const { gain, possibleGain } = scheduler.metrics.snapshot().total;
    expect(gain).toBeLessThanOrEqual(possibleGain);
    if (step === null) clock.advance(5);
    else schedule.push(step.plan.work.map((w) => `${w.request.id}:${w.tokens}`).join(' '));
  }
  expect(fake.kv.freePages).toBe(fake.capacity.totalPages);
  return { schedule, ends };
}

function sloOf({ kind, scale }: Draft): Slo {
  switch (kind) {
    case 'latency':
      return { class: kind, ttft: 500 * scale, tbt: Math.max(1, 50 * scale) };
    case 'deadline':
      return { class: kind, ttlt: 2000 * scale };
    default:
      return { class: kind };
  }
}

describe.each(POLICY_NAMES)('under %s', (policy) => {
  it('every request ends exactly once, pages are conserved, nothing is decoded before its prefill, and no gain exceeds what is possible', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { minLength: 1, maxLength: 14 }), engine, async (d, on) => {
        const { ends } = await play(policy, d, on);
        for (const [id, how] of ends) expect([id, how.length]).toEqual([id, 1]);
      }),
      { numRuns: 25 },
    );
  });

  it('the same requests give the same schedule', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { minLength: 1, maxLength: 12 }), engine, async (d, on) => {
        const [a, b] = [await play(policy, d, on), await play(policy, d, on)];
        expect(a.schedule).toEqual(b.schedule);
      }),
      { numRuns: 8 },
    );
  });
});

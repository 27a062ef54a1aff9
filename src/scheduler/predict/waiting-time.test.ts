import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../clock';
import { TempoError } from '../errors';
import { runStep } from '../loop';
import { createPolicy } from '../policies';
import type { Request } from '../request';
import { Scheduler } from '../scheduler';
import type { Slo } from '../slo';
import { CountingEngine } from '../testing/counting-engine';

function small(rejectHopeless: boolean, policyName = 'fcfs') {
  const clock = new VirtualClock();
  const engine = new CountingEngine({ clock, capacity: { maxSequences: 2, maxBatch: 2 } });
  const policy = createPolicy(policyName);
  const scheduler = new Scheduler({ policy, engine, costs: engine.costs, rejectHopeless });
  let number = 0;
  const ask = (slo: Slo, app = 'tool') =>
    scheduler.submit(
      { id: `r${number++}`, app, slo, promptTokens: 50, maxTokens: 50 },
      clock.now(),
    );
  const submit = (ttlt = 600_000) => ask({ class: 'deadline', ttlt });
  const step = () =>
    runStep(
      scheduler,
      engine,
      {
        sequence: (request: Request) => ({
          id: request.id,
          tokens: { length: request.knownTokens },
          promptTokens: request.promptTokens,
          sampling: { temperature: 0, topP: 1, seed: 0 },
        }),
        token: (request: Request) => (request.generated >= 50 ? 'stop' : null),
        failed: () => {},
      },
      clock,
    );
  return { scheduler, ask, submit, step };
}

describe('waiting time', () => {
  it('is a step where there is room, and grows with the queue', () => {
    const { submit } = small(false);
    const waits = Array.from({ length: 10 }, () => submit().expectedWaitMs);
    expect(waits[0]).toBeLessThan(50);
    for (let i = 4; i < waits.length; i++) expect(waits[i]).toBeGreaterThan(waits[i - 1]);
  });

  it('is told to within a third of what it turns out to be, once lengths are known', async () => {
    const { scheduler, submit, step } = small(false);
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 12; i++) submit();
      while (scheduler.live > 0) await step();
    }
    const requests = Array.from({ length: 12 }, () => submit());
    while (scheduler.live > 0) await step();
    const told = requests.reduce((sum, request) => sum + request.expectedWaitMs, 0);
    const came = requests.reduce((sum, r) => sum + (r.admittedMs ?? 0) - r.arrivalMs, 0);
    expect(told / came).toBeGreaterThan(0.67);
    expect(told / came).toBeLessThan(1.5);
    expect(scheduler.metrics.snapshot().waits.count).toBe(84);
  });

  it('refuses, where asked to, what cannot be done in time, and says how much later to try', () => {
    const { submit } = small(true);
    for (let i = 0; i < 40; i++) submit();
    const hopeless = () => submit(200);
    expect(hopeless).toThrow(TempoError);
    expect(hopeless).toThrow(/cannot be met/);
    expect(() => submit(600_000)).not.toThrow();
  });

  it("knows the policy's order: a stream does not wait for hundreds that have an hour", async () => {
    const { ask, submit, step } = small(true, 'tempo');
    for (let i = 0; i < 300; i++) submit(3_600_000);
    for (let i = 0; i < 20; i++) await step();
    const chat = ask({ class: 'latency', ttft: 500, tbt: 100 });
    expect(chat.expectedWaitMs).toBeLessThan(200);
    while (chat.admittedMs === undefined) await step();
    expect(Math.abs(chat.expectedWaitMs - (chat.admittedMs - chat.arrivalMs))).toBeLessThan(200);
  });

  it("knows the policy's order: a stream goes before another app's flood of any deadlines", async () => {
    const { ask, step } = small(false, 'tempo');
    const ttlts = [1, 500, 5000, 60_000, 130_000, 86_400_000];
    for (let i = 0; i < 1500; i++) ask({ class: 'deadline', ttlt: ttlts[i % ttlts.length] });
    for (let round = 0; round < 4; round++) {
      const chat = ask({ class: 'latency', ttft: 800, tbt: 100 }, 'chat');
      expect(chat.expectedWaitMs).toBeLessThan(400);
      for (let i = 0; i < 150; i++) await step();
      expect((chat.admittedMs ?? Infinity) - chat.arrivalMs).toBeLessThan(800);
    }
  });

  it('tells the patient, too, how long the work before them takes', async () => {
    const { scheduler, ask, step } = small(false, 'tempo');
    const ttlts = [3_600_000, 86_000_000, 500_000, 700_000];
    for (let i = 0; i < 300; i++) ask({ class: 'deadline', ttlt: ttlts[i % ttlts.length] });
    for (let i = 0; i < 100; i++) await step();
    const waits = scheduler.expectedWaits();
    const atMs = scheduler.now;
    while (scheduler.live > 0) await step();
    const ratios = waits
      .map(({ request, waitMs }) => waitMs / ((request.admittedMs ?? 0) - atMs))
      .sort((a, b) => a - b);
    expect(ratios[Math.floor(0.1 * ratios.length)]).toBeGreaterThan(0.5);
    expect(ratios[Math.floor(0.9 * ratios.length)]).toBeLessThan(2);
  });

  it("knows the policy's order: streams enough for seconds make the next one wait as long, or be refused", async () => {
    const { ask, step } = small(true, 'tempo');
    for (let i = 0; i < 20; i++) await step();
    const chats: Request[] = [];
    const more = () => {
      for (let i = 0; i < 200; i++) chats.push(ask({ class: 'latency', ttft: 2000, tbt: 30 }));
    };
    expect(more).toThrow(/cannot be met/);
    expect(chats.length).toBeGreaterThan(4);
  });

  it('is brought up to date for those that wait, the later the longer', async () => {
    const { scheduler, submit, step } = small(false);
    const last = Array.from({ length: 8 }, () => submit()).at(-1);
    const before = scheduler.expectedWaits();
    expect(before.map(({ waitMs }) => waitMs)).toEqual(
      before.map(({ waitMs }) => waitMs).toSorted((a, b) => a - b),
    );
    expect(before.at(-1)).toEqual({ request: last, waitMs: last?.expectedWaitMs });
    for (let i = 0; i < 120; i++) await step();
    const after = scheduler.expectedWaits().at(-1);
    expect(after?.request).toBe(last);
    expect(after?.waitMs).toBeLessThan(before.at(-1)?.waitMs ?? 0);
  });

  it('counts what was refused as rejected, but never refuses a part of what was accepted', () => {
    const { scheduler, submit } = small(true);
    for (let i = 0; i < 40; i++) submit();
    expect(() => submit(200)).toThrow(TempoError);
    expect(scheduler.metrics.snapshot().total).toMatchObject({ submitted: 41, rejected: 1 });
    const slo = { class: 'deadline', ttlt: 200 } as const;
    const part = { id: 'r0#1', app: 'tool', slo, promptTokens: 50, maxTokens: 50, promised: true };
    expect(() => scheduler.submit(part, 0)).not.toThrow();
  });
});

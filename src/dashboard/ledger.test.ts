import { describe, expect, it } from 'vitest';
import type { PolicyName, RequestTrace, Snapshot, StepTrace } from '../client';
import { Ledger } from './ledger';
import { WINDOW_MS } from './reign';

interface Event {
  policy?: PolicyName;
  sinceMs?: number;
  requests?: Partial<RequestTrace>[];
  steps?: Partial<StepTrace>[];
  programs?: Snapshot['programs'];
  submitted?: number;
  model?: string;
}

function snapshot(atMs: number, event: Event = {}): Snapshot {
  const { policy = 'tempo', sinceMs = 0, requests = [], steps = [], programs = [] } = event;
  return {
    atMs,
    state: { phase: 'ready', engine: { model: event.model ?? 'laptop-gpu', device: 'a GPU' } },
    policy,
    policySinceMs: sinceMs,
    requests,
    steps: steps.map((step) => ({ startMs: atMs, endMs: atMs, work: [], finished: [], ...step })),
    programs,
    live: { resident: requests.length, waiting: 0 },
    metrics: { total: { submitted: event.submitted ?? 0 } },
  } as unknown as Snapshot;
}

const finished = (requestId: string, arrivalMs: number, met: boolean, app = 'chat') => ({
  finished: [{ requestId, app, class: 'latency' as const, arrivalMs, met }],
});

const token = (requestId: string, index: number, sinceMs: number) => ({
  work: [
    { requestId, app: 'chat', kind: 'decode' as const, tokens: 1, output: { index, sinceMs } },
  ],
});

/** `met of judged` of an app under the policy that decides now. */
const verdict = (ledger: Ledger, app = 'chat') => {
  const { met, judged } = ledger.current?.account(app) ?? { met: 0, judged: 0 };
  return `${met} of ${judged}`;
};

describe('the ledger', () => {
  it('charges a request to the policy under which it arrived, whenever it ends', () => {
    const ledger = new Ledger();
    ledger.add(snapshot(1000, { steps: [finished('a', 500, true)] }));
    ledger.add(snapshot(2000, { policy: 'webllm', sinceMs: 1500 }));
    const late = [finished('b', 1600, false), finished('c', 1400, true)];
    ledger.add(snapshot(11_000, { policy: 'tempo', sinceMs: 10_500, steps: late }));
    expect(verdict(ledger)).toBe('0 of 0');
    expect(ledger.current?.account('chat').share).toBeUndefined();
    expect(ledger.previous).toMatchObject({ policy: 'webllm' });
    expect(ledger.previous?.account('chat')).toMatchObject({ met: 0, judged: 1 });
    ledger.add(snapshot(12_000, { sinceMs: 10_500, steps: [finished('d', 10_600, true)] }));
    expect(verdict(ledger)).toBe('1 of 1');
    expect(ledger.latest.map(({ policy }) => policy)).toEqual(['tempo', 'webllm']);
  });

  it('looks back 30 s, and keeps the last 30 s of a policy that went', () => {
    const ledger = new Ledger();
    ledger.add(snapshot(1000, { steps: [finished('a', 500, false)] }));
    ledger.add(snapshot(20_000, { steps: [finished('b', 19_000, true)] }));
    expect(verdict(ledger)).toBe('1 of 2');
    ledger.add(snapshot(1001 + WINDOW_MS));
    expect(verdict(ledger)).toBe('1 of 1');
    ledger.add(snapshot(90_000, { policy: 'fcfs', sinceMs: 40_000 }));
    expect(ledger.previous?.account('chat')).toMatchObject({ met: 1, judged: 1 });
  });

  it('takes latencies from the same requests as verdicts', () => {
    const ledger = new Ledger();
    ledger.add(snapshot(1000, { steps: [token('a', 0, 400), token('a', 1, 30)] }));
    expect(ledger.current?.account('chat')).toMatchObject({
      ttft: { p95: 400, count: 1 },
      tbt: { p95: 30, count: 1 },
    });
    const later = { policy: 'webllm' as const, sinceMs: 1500 };
    ledger.add(snapshot(2000, { ...later, steps: [token('a', 2, 900), token('b', 0, 300)] }));
    expect(ledger.current?.account('chat')).toMatchObject({
      ttft: { p95: 300, count: 1 },
      tbt: { count: 0 },
    });
    expect(ledger.previous?.account('chat').tbt).toMatchObject({ p95: 900, count: 2 });
    ledger.add(snapshot(2001 + WINDOW_MS, later));
    expect(ledger.current?.account('chat').ttft.p95).toBeUndefined();
  });

  it('judges a program as a whole, by its own deadline, and never its calls', () => {
    const ledger = new Ledger();
    const call = {
      requestId: 'a',
      app: 'agent',
      class: 'program' as const,
      arrivalMs: 100,
      met: true,
    };
    ledger.add(snapshot(1000, { steps: [{ finished: [call] }] }));
    expect(ledger.current?.account('agent')).toMatchObject({ finished: 1, judged: 0 });
    expect(ledger.current?.account('agent').share).toBeUndefined();
    const program = { id: 'p', app: 'agent', startMs: 50, deadlineMs: 5050, endMs: 5000 };
    const slow = { ...program, id: 'q', deadlineMs: 4000 };
    ledger.add(snapshot(5000, { programs: [program, slow] }));
    expect(ledger.current?.account('agent')).toMatchObject({ unit: 'program', met: 1, judged: 2 });
  });

  it('never judges best effort', () => {
    const ledger = new Ledger();
    const part = {
      requestId: 'a',
      app: 'bulk',
      class: 'best-effort' as const,
      arrivalMs: 1,
      met: true,
    };
    ledger.add(snapshot(1000, { steps: [{ finished: [part] }] }));
    expect(ledger.current?.account('bulk')).toMatchObject({ finished: 1, judged: 0 });
  });

  it('counts what is late already before it ends, and a stream only by its first token', () => {
    const ledger = new Ledger();
    const live = (more: Partial<RequestTrace>) => ({
      id: 'a',
      app: 'chat',
      class: 'latency' as const,
      arrivalMs: 100,
      dueMs: 900,
      generatedTokens: 0,
      ...more,
    });
    ledger.add(snapshot(800, { requests: [live({})] }));
    expect(verdict(ledger)).toBe('0 of 0');
    ledger.add(snapshot(1000, { requests: [live({})] }));
    expect(verdict(ledger)).toBe('0 of 1');
    ledger.add(snapshot(2000, { requests: [live({ generatedTokens: 4 })] }));
    expect(verdict(ledger)).toBe('0 of 0');
    const calls = ['x', 'y'].map((id) =>
      live({ id, app: 'agent', class: 'program', program: 'p' }),
    );
    ledger.add(snapshot(3000, { requests: calls }));
    expect(verdict(ledger, 'agent')).toBe('0 of 1');
  });

  it('starts anew with another engine, so that no figure mixes devices', () => {
    const ledger = new Ledger();
    ledger.add(snapshot(1000, { submitted: 3, steps: [finished('a', 500, false)] }));
    ledger.add(snapshot(2000, { submitted: 3, model: 'desktop-gpu' }));
    expect(verdict(ledger)).toBe('0 of 0');
    ledger.add(
      snapshot(3000, { submitted: 4, model: 'desktop-gpu', steps: [finished('b', 2500, true)] }),
    );
    // The same device, loaded again.
    ledger.add(snapshot(4000, { submitted: 0, sinceMs: 3900, model: 'desktop-gpu' }));
    expect(verdict(ledger)).toBe('0 of 0');
    expect(ledger.latest).toHaveLength(1);
  });

  it('counts tokens per second of the time in which there was work', () => {
    const ledger = new Ledger();
    const requests = [{ id: 'a', app: 'chat', arrivalMs: 0 }];
    ledger.add(snapshot(0, { requests }));
    ledger.add(snapshot(1000, { requests, steps: [token('a', 0, 1)] }));
    expect(ledger.current?.tokensPerSecond()).toBeUndefined();
    const steps = Array.from({ length: 7 }, (_, i) => token('a', i + 1, 1));
    ledger.add(snapshot(4000, { requests, steps }));
    ledger.add(snapshot(9000));
    expect(ledger.current?.tokensPerSecond()).toBe(2);
    expect(ledger.current?.tokensPerSecond('chat')).toBe(2);
    expect(ledger.current?.tokensPerSecond('agent')).toBe(0);
  });
});

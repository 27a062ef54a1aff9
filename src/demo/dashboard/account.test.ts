import { describe, expect, it } from 'vitest';
import type { RequestTrace, Snapshot } from '../../client';
import { account } from './account';

const request = (app: string, state: RequestTrace['state']) => ({ id: app, app, state });

const situation = (requests: ReturnType<typeof request>[], more: Partial<Snapshot> = {}) => ({
  snapshot: {
    atMs: 5000,
    state: { phase: 'ready' },
    requests,
    plan: [],
    capacity: { maxBatch: 8 },
    ...more,
  } as unknown as Snapshot,
  policy: 'tempo' as const,
  attainment: new Map([
    ['chat', 1],
    ['agent', 1],
    ['summarizer', 1],
  ]),
  lastSwitch: undefined,
});

describe('what you are seeing, in words', () => {
  it('says what to do when nothing runs', () => {
    expect(account(situation([]))).toMatch(/^Nothing is running/);
  });

  it('says who shares a step, and why the others wait', () => {
    const requests = [request('chat', 'decode'), request('agent', 'prefill')];
    expect(account(situation(requests))).toBe(
      '2 requests share each step of the engine, and nobody waits. Every app is in time.',
    );
    const plan = [{ requestId: 'x', app: 'agent', chosen: false, tokens: 0, reason: 'batch-full' }];
    const more = { plan } as unknown as Partial<Snapshot>;
    expect(account(situation([...requests, request('summarizer', 'waiting')], more))).toMatch(
      /1 other waits, because the batch is full\./,
    );
  });

  it('tells what a switch of policy did', () => {
    const text = account({
      ...situation([request('agent', 'decode'), request('chat', 'waiting')]),
      policy: 'webllm',
      attainment: new Map([
        ['chat', 0.1],
        ['agent', 1],
      ]),
      lastSwitch: {
        from: 'tempo',
        to: 'webllm',
        atMs: 1000,
        attainmentBefore: new Map([
          ['chat', 0.97],
          ['agent', 1],
          ['summarizer', 1],
        ]),
      },
    });
    expect(text).toBe(
      'The agent has the engine to itself while 1 request waits behind it. Chat was in time 97% of the time under tempo; under webllm it is 10%.',
    );
  });
});

import { describe, expect, it } from 'vitest';
import type { PolicyName, RequestTrace, Snapshot } from '../../client';
import type { Account } from '../../dashboard/reign';
import { account } from './account';

const request = (app: string, state: RequestTrace['state']) => ({ id: app, app, state });

/** A policy's turn, with `[met, judged]` of each app. */
const reign = (policy: PolicyName, fromMs: number, verdicts: Record<string, [number, number]>) => ({
  policy,
  fromMs,
  account(app: string): Account {
    const [met, judged] = verdicts[app] ?? [0, 0];
    const share = judged === 0 ? undefined : met / judged;
    return {
      unit: 'request',
      met,
      judged,
      share,
      finished: judged,
      ttft: NONE,
      tbt: NONE,
      ttlt: NONE,
    };
  },
});

const NONE = { count: 0 };

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
  current: reign('tempo', 0, { chat: [4, 4], agent: [1, 1] }),
  previous: undefined,
  demoTraffic: true,
});

describe('what you are seeing, in words', () => {
  it('says what to do when nothing runs, and does not send for visitors who are there', () => {
    expect(account({ ...situation([]), demoTraffic: false })).toMatch(/turn on demo traffic/);
    expect(account(situation([]))).not.toMatch(/demo traffic/);
    expect(account(situation([]))).toMatch(/^Nothing is running at this moment/);
  });

  it('says who shares a step, and why the others wait', () => {
    const requests = [request('chat', 'decode'), request('agent', 'prefill')];
    expect(account(situation(requests))).toBe(
      '2 requests share each step of the engine, and nobody waits. In the last 30 s 5 of 5 were in time.',
    );
    const plan = [{ requestId: 'x', app: 'agent', chosen: false, tokens: 0, reason: 'batch-full' }];
    const more = { plan } as unknown as Partial<Snapshot>;
    expect(account(situation([...requests, request('summarizer', 'waiting')], more))).toMatch(
      /1 other waits, because the batch is full\./,
    );
  });

  it('tells what a switch of policy did, each policy by its own requests', () => {
    const webllm = {
      ...situation([request('agent', 'decode'), request('chat', 'waiting')]),
      policy: 'webllm' as const,
      previous: reign('tempo', 0, { chat: [31, 32], agent: [2, 2] }),
      current: reign('webllm', 1000, { chat: [1, 10], agent: [1, 1] }),
    };
    expect(account(webllm)).toBe(
      'The agent has the engine to itself while 1 request waits behind it. Chat under tempo: 97% in time (31 of 32); under webllm: 10% in time (1 of 10).',
    );
    // Nothing has ended yet that arrived since.
    const fresh = { ...webllm, current: reign('webllm', 1000, {}) };
    expect(account(fresh)).toMatch(/No answer has come to its end yet\.$/);
    // The choice has not reached the server yet.
    expect(account({ ...webllm, current: webllm.previous })).not.toMatch(/tempo/);
  });

  it('calls late only what had a time to keep', () => {
    const current = reign('tempo', 0, { chat: [3, 4], summarizer: [0, 0] });
    expect(account({ ...situation([request('chat', 'decode')]), current })).toMatch(
      /Late in the last 30 s: Chat \(3 of 4 in time\)\.$/,
    );
  });
});

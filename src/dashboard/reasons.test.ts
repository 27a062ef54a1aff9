import { describe, expect, it } from 'vitest';
import { type Explanation, POLICY_NAMES, type Reason, type RequestTrace } from '../client';
import { reasonWords } from './reasons';

const REASONS: readonly Reason[] = [
  ...(['critical', 'on-schedule', 'density', 'fair-share', 'in-order', 'queued'] as const),
  ...(['hopeless', 'not-admitted', 'batch-full', 'sequences-full', 'pages-full'] as const),
  ...(['prefill-budget', 'step-kind', 'tbt-guard', 'marginal', 'preempted', 'preparing'] as const),
];

const line = (reason: Reason, more: Partial<Explanation> = {}): Explanation => ({
  requestId: 'a',
  app: 'chat',
  chosen: true,
  tokens: 1,
  reason,
  ...more,
});

const request = (more: Partial<RequestTrace> = {}): RequestTrace => ({
  id: 'a',
  app: 'chat',
  stage: 'reply',
  class: 'deadline',
  slo: { class: 'deadline', ttlt: 15_000 },
  state: 'decode',
  arrivalMs: 1000,
  dueMs: 16_000,
  promptTokens: 100,
  computedTokens: 100,
  generatedTokens: 12,
  maxTokens: 100,
  ...more,
});

const snapshot = {
  atMs: 3000,
  capacity: { maxBatch: 8, maxSequences: 16, contextWindow: 4096 },
  kv: { totalPages: 400, freePages: 3, cachedPages: 0 },
  plan: Array.from({ length: 8 }, () => line('in-order')),
};

describe('a reason in words', () => {
  it.each(POLICY_NAMES)(
    'is one sentence for each reason under %s, with its numbers and without',
    (policy) => {
      for (const reason of REASONS) {
        for (const tokens of [0, 1, 64]) {
          const bare = line(reason, { tokens, chosen: tokens > 0 });
          const full = { ...bare, slackMs: 320, density: 2.14, remainingTokens: 90 };
          for (const words of [
            reasonWords({ policy, line: bare }),
            reasonWords({ policy, line: full, request: request(), snapshot }),
          ]) {
            expect(words).toMatch(/^[A-Z][^.]*(\.\d[^.]*)*$/);
            expect(words).not.toMatch(/undefined|NaN|Infinity/);
            expect(words.length).toBeLessThanOrEqual(80);
          }
        }
      }
    },
  );

  it('speaks of the order of arrival only where that is the order', () => {
    const byArrival = POLICY_NAMES.filter((policy) =>
      [line('in-order'), line('in-order', { tokens: 64 }), line('batch-full')].some((one) =>
        /arrival/.test(reasonWords({ policy, line: one, request: request(), snapshot })),
      ),
    );
    expect(byArrival.toSorted()).toEqual(['fcfs', 'sarathi', 'webllm']);
  });

  it('gives each policy’s own rule, with the number that it goes by', () => {
    const turn = (policy: (typeof POLICY_NAMES)[number], more = {}) =>
      reasonWords({
        policy,
        line: line('in-order', { remainingTokens: 90, ...more }),
        request: request(),
        snapshot,
      });
    expect(turn('edf')).toBe('First due first; due in 13.0 s');
    expect(turn('sjf')).toBe('Shortest predicted answer first; about 90 to go');
    expect(turn('autellix')).toBe('Least served program first; 12 tokens by this call');
    expect(turn('fcfs', { tokens: 64 })).toBe('Its 64 prompt tokens go before all decoding');
    expect(turn('webllm')).toBe('Has the engine to itself until it ends');
    expect(
      reasonWords({
        policy: 'edf',
        line: line('in-order'),
        request: request({ dueMs: undefined, class: 'best-effort' }),
        snapshot,
      }),
    ).toBe('First due first; never due');
  });

  it('calls slack little only beside what it is held against', () => {
    const slack = (slackMs: number, more: Partial<RequestTrace> = {}) =>
      reasonWords({
        policy: 'tempo',
        line: line('critical', { slackMs }),
        request: request(more),
        snapshot,
      });
    expect(slack(5700)).toBe('Of 13.0 s left only 5.7 s are slack: not put off');
    expect(slack(40, { class: 'latency' })).toBe('Slack of only 40 ms: not put off');
    expect(slack(-1200)).toBe('Behind by 1.2 s: not put off');
  });

  it('says how many places, slots and pages there are, and how long a request has waited', () => {
    const words = (reason: Reason, policy: (typeof POLICY_NAMES)[number] = 'edf') =>
      reasonWords({
        policy,
        line: line(reason, { tokens: 0, chosen: false }),
        request: request({ state: 'waiting' }),
        snapshot,
      });
    expect(words('batch-full')).toBe('All 8 places taken: first due first');
    expect(words('sequences-full')).toBe('All 16 sequence slots are taken');
    expect(words('pages-full')).toBe('Too few KV pages are free: 3 of 400');
    expect(words('queued', 'webllm')).toBe(
      'Waits until those before it have ended; waits for 2.0 s',
    );
  });
});

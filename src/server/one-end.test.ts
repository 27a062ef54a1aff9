import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY_NAMES } from '../scheduler';
import type { ChatCompletionParams } from './chat-types';
import { codeOf, Harness } from './testing/harness';

type Action =
  | { do: 'submit'; params: Partial<ChatCompletionParams>; deadline: boolean }
  | { do: 'abort'; which: number }
  | { do: 'lose' }
  | { do: 'load' }
  | { do: 'cancel' }
  | { do: 'policy'; which: number }
  | { do: 'wait'; ms: number };

const params: fc.Arbitrary<Partial<ChatCompletionParams>> = fc.record(
  {
    max_tokens: fc.integer({ min: 1, max: 60 }),
    n: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer(),
    temperature: fc.constantFrom(0, 1, -1),
    messages: fc.constantFrom<ChatCompletionParams['messages']>(
      [{ role: 'user', content: 'Hello' }],
      [{ role: 'user', content: 'word '.repeat(600) }],
      [],
    ),
  },
  { requiredKeys: ['max_tokens', 'messages'] },
);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('submit'), params, deadline: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('abort'), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('load') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('policy'), which: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 0, max: 6 }) }),
  },
);

const actions = fc.array(action, { minLength: 4, maxLength: 30 });

/** What the engine can do, and who schedules. */
const setting = fc.record({
  policy: fc.constantFrom(...POLICY_NAMES),
  capabilities: fc.record({
    batchedDecode: fc.boolean(),
    continuedPrefill: fc.boolean(),
    mixedSteps: fc.boolean(),
    swap: fc.boolean(),
  }),
});

describe('whatever happens, in whatever order', () => {
  it('each request that was taken ends exactly once, and leaves no page behind', async () => {
    await fc.assert(
      fc.asyncProperty(setting, actions, async ({ policy, capabilities }, actions) => {
        const harness = await new Harness({
          profile: { maxSequences: 3, totalPages: 90 },
          capabilities,
          onLoad: () => new Promise((resolve) => setTimeout(resolve, 1)),
        }).loaded({ maxWaiting: 6, policy });
        const submitted: ReturnType<Harness['submit']>[] = [];
        const loads: Promise<unknown>[] = [];
        for (const each of actions) {
          switch (each.do) {
            case 'submit': {
              const slo = each.deadline
                ? ({ class: 'deadline', ttlt: 800 } as const)
                : ({ class: 'latency', ttft: 200, tbt: 30 } as const);
              submitted.push(harness.submit(each.params, { slo }));
              break;
            }
            case 'abort':
              if (submitted.length > 0) {
                await harness.server.abort(submitted[each.which % submitted.length].id);
              }
              break;
            case 'lose':
              harness.device.lose();
              break;
            case 'load':
              loads.push(harness.load());
              break;
            case 'cancel':
              await harness.server.cancelLoad();
              break;
            case 'policy':
              await harness.server.setPolicy(POLICY_NAMES[each.which % POLICY_NAMES.length]);
              break;
            case 'wait':
              await new Promise((resolve) => setTimeout(resolve, each.ms));
          }
        }
        await Promise.all(loads);
        const answers = await Promise.all(submitted.map(({ answer }) => answer));
        await new Promise((resolve) => setTimeout(resolve, 20));
        for (const [i, { id, receipt }] of submitted.entries()) {
          expect(harness.ends(id)).toBe((await receipt).ok ? 1 : 0);
          expect([
            ...['done', 'aborted', 'disposed', 'not_loaded', 'engine_lost', 'queue_full'],
            ...['invalid_request', 'context_length_exceeded'],
          ]).toContain(codeOf(answers[i]));
          const last = harness.events.filter((event) => event.id === id).at(-1);
          if (last !== undefined) expect(['done', 'error']).toContain(last.type);
        }
        const { live, kv } = await harness.snapshot();
        expect(live).toEqual({ resident: 0, waiting: 0 });
        expect(kv.freePages).toBe(kv.totalPages);
        await harness.server.dispose();
      }),
      { numRuns: 40, timeout: 8000, endOnFailure: true },
    );
  }, 60_000);
});

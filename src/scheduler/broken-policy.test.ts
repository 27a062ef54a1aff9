import { describe, expect, it } from 'vitest';
import { VirtualClock } from './clock';
import { runStep } from './loop';
import { createPolicy } from './policies';
import type { Policy } from './policy';
import { Scheduler } from './scheduler';
import { CountingEngine } from './testing/counting-engine';
import { COUNTING_KEEPER } from './testing/counting-keeper';

const HOOKS = ['plan', 'submitted', 'ended', 'served'] as const;

/** The policy `tempo`, but that one of its hooks always throws. */
function breaking(hook: (typeof HOOKS)[number]): Policy {
  const policy = createPolicy('tempo');
  const torn = () => {
    throw new RangeError('the policy is broken');
  };
  return new Proxy(policy, {
    get(target, name) {
      const own: unknown = name === hook ? torn : Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

async function serve(policy: Policy) {
  const clock = new VirtualClock();
  const engine = new CountingEngine({ clock });
  const scheduler = new Scheduler({ policy, engine, costs: engine.costs });
  const requests = Array.from({ length: 20 }, (_, i) =>
    scheduler.submit(
      { id: `r${i}`, app: 'a', slo: { class: 'best-effort' }, promptTokens: 20, maxTokens: 6 },
      0,
    ),
  );
  scheduler.setSlo(requests[3], { class: 'latency', ttft: 500, tbt: 50 });
  let steps = 0;
  while (scheduler.live > 0 && steps++ < 500)
    await runStep(scheduler, engine, COUNTING_KEEPER, clock);
  return { scheduler, requests, steps };
}

describe('a policy that throws', () => {
  it.each(HOOKS)('in %s costs nobody the answer', async (hook) => {
    const { scheduler, requests, steps } = await serve(breaking(hook));
    expect(requests.map(({ end }) => end?.kind)).toEqual(Array(20).fill('finished'));
    expect(scheduler.policyFailure).toMatchObject({ message: 'the policy is broken' });
    // Batches as ever, where the plan is made in the order of arrival.
    expect(steps).toBeLessThan(60);
    scheduler.policy = createPolicy('tempo');
    expect(scheduler.policyFailure).toBeUndefined();
  });
});

describe('a submission that fails on its way in', () => {
  it('leaves nothing behind', () => {
    const clock = new VirtualClock();
    const engine = new CountingEngine({ clock });
    const scheduler = new Scheduler({ policy: createPolicy('tempo'), engine, costs: engine.costs });
    const spec = {
      app: 'a',
      slo: { class: 'best-effort' },
      promptTokens: 20,
      maxTokens: 6,
    } as const;
    scheduler.lengths.expect = () => {
      throw new RangeError('no table');
    };
    expect(() => scheduler.submit({ id: 'a', ...spec }, 0)).toThrow('no table');
    expect(scheduler.live).toBe(0);
    expect(scheduler.waiting).toEqual([]);
    expect(scheduler.request('a')).toBeUndefined();
    expect(scheduler.plan(1).work).toEqual([]);
  });

  it('is none for half a character in a label', () => {
    const clock = new VirtualClock();
    const engine = new CountingEngine({ clock });
    const scheduler = new Scheduler({ policy: createPolicy('tempo'), engine, costs: engine.costs });
    const request = scheduler.submit(
      {
        id: 'a',
        app: '\ud800',
        stage: '\udfff',
        slo: { class: 'best-effort' },
        promptTokens: 20,
        maxTokens: 6,
      },
      0,
    );
    expect(scheduler.plan(1).work).toEqual([{ request, tokens: 20 }]);
  });
});

import { describe, expect, it } from 'vitest';
import { VirtualClock } from './clock';
import type { EngineCapacity } from './executor';
import { runStep } from './loop';
import { createPolicy } from './policies';
import { Scheduler } from './scheduler';
import { CountingEngine } from './testing/counting-engine';
import { COUNTING_KEEPER } from './testing/counting-keeper';

function world(capacity: Partial<EngineCapacity> = {}) {
  const clock = new VirtualClock();
  const engine = new CountingEngine({ clock, capacity });
  const scheduler = new Scheduler({ policy: createPolicy('sarathi'), engine, costs: engine.costs });
  const submit = (id: string, promptTokens: number) =>
    scheduler.submit(
      { id, app: 'a', slo: { class: 'best-effort' }, promptTokens, maxTokens: 3 },
      clock.now(),
    );
  const step = async () => {
    const record = await runStep(scheduler, engine, COUNTING_KEEPER, clock);
    return record?.plan.work.map(({ request, tokens }) => [request.id, tokens]);
  };
  return { engine, submit, step };
}

describe('Where more is found computed than the plan was told', () => {
  it('the engine is asked for what is left, and no more', async () => {
    const { engine, submit, step } = world();
    engine.found.set('a', 60);
    const request = submit('a', 64);
    expect(await step()).toEqual([['a', 4]]);
    expect(request.generated).toBe(1);
  });

  it('what its pages no longer hold waits for the next step', async () => {
    const { engine, submit, step } = world({ totalPages: 8, maxPrefillTokens: 64 });
    engine.found.set('b', 100);
    submit('a', 30);
    submit('b', 110);
    // Planned: 30 tokens and 34, in five pages. What was found takes seven, and leaves one.
    expect(await step()).toEqual([
      ['a', 16],
      ['b', 10],
    ]);
    expect(engine.heldPages).toBe(8);
  });
});

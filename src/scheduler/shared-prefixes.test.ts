import { expect, it } from 'vitest';
import { VirtualClock } from './clock';
import { runStep } from './loop';
import { createPolicy } from './policies';
import { Scheduler } from './scheduler';
import { CountingEngine } from './testing/counting-engine';
import { COUNTING_KEEPER } from './testing/counting-keeper';

/** An engine that is asked what it finds computed, and notes for which groups. */
function serving(group: string) {
  const clock = new VirtualClock();
  const engine = new CountingEngine({ clock });
  const asked: (string | undefined)[] = [];
  engine.kv.matchPrefix = (_, group) => {
    asked.push(group);
    return 0;
  };
  const scheduler = new Scheduler({ policy: createPolicy('tempo'), engine, costs: engine.costs });
  const keeper: typeof COUNTING_KEEPER = {
    ...COUNTING_KEEPER,
    sequence: (request) => ({ ...COUNTING_KEEPER.sequence(request), group }),
  };
  for (let i = 0; i < 6; i++) {
    const slo = { class: 'best-effort' } as const;
    scheduler.submit({ id: `r${i}`, app: 'a', slo, promptTokens: 400, maxTokens: 3 }, 0);
  }
  return { asked, step: () => runStep(scheduler, engine, keeper, clock) };
}

it('a plan asks what the engine shares with the request’s own group', async () => {
  const { asked, step } = serving('mine');
  await step();
  expect(new Set(asked)).toEqual(new Set(['mine']));
});

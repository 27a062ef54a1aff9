import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VirtualClock } from './clock';
import { TempoError } from './errors';
import type { StepPlan, StepResult } from './executor';
import { runStep } from './loop';
import { createPolicy, POLICY_NAMES } from './policies';
import type { Request } from './request';
import { Scheduler } from './scheduler';
import { CountingEngine } from './testing/counting-engine';
import { COUNTING_KEEPER } from './testing/counting-keeper';

/** An engine that cannot draw some sequences' tokens from their `at`-th on. */
class FailingEngine extends CountingEngine {
  readonly #drawn = new Map<string, number>();
  readonly #at: ReadonlyMap<string, number>;

  constructor(clock: VirtualClock, at: ReadonlyMap<string, number>) {
    super({ clock, capacity: { maxSequences: 4, maxBatch: 3, totalPages: 24 } });
    this.#at = at;
  }

  override async step(plan: StepPlan): Promise<StepResult> {
    const result = await super.step(plan);
    const sampled = new Map(result.sampled);
    const failed = new Map<string, TempoError>();
    for (const id of result.sampled.keys()) {
      const drawn = (this.#drawn.get(id) ?? 0) + 1;
      this.#drawn.set(id, drawn);
      if (drawn < (this.#at.get(id) ?? Number.POSITIVE_INFINITY)) continue;
      sampled.delete(id);
      failed.set(id, new TempoError('engine_failed', `No token for ${id}.`));
    }
    return { ...result, sampled, failed };
  }
}

it.each(POLICY_NAMES)(
  'under %s a sequence that cannot be drawn from ends alone',
  async (policy) => {
    const request = fc.record({
      promptTokens: fc.integer({ min: 1, max: 60 }),
      outputTokens: fc.integer({ min: 1, max: 12 }),
      failsAt: fc.option(fc.integer({ min: 1, max: 14 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 8 }), async (drafts) => {
        const clock = new VirtualClock();
        const at = new Map(
          drafts.flatMap(({ failsAt }, i) =>
            failsAt === null ? [] : [[`r${i}`, failsAt] as const],
          ),
        );
        const engine = new FailingEngine(clock, at);
        const scheduler = new Scheduler({
          policy: createPolicy(policy),
          engine,
          costs: engine.costs,
        });
        const told: string[] = [];
        const keeper = {
          ...COUNTING_KEEPER,
          failed: ({ id }: Request, error: TempoError) => void told.push(`${id}: ${error.message}`),
        };
        const requests = drafts.map(({ promptTokens, outputTokens }, i) =>
          scheduler.submit(
            {
              id: `r${i}`,
              app: 'a',
              slo: { class: 'best-effort' },
              promptTokens,
              maxTokens: outputTokens,
            },
            0,
          ),
        );
        for (let steps = 0; scheduler.live > 0; steps++) {
          expect(steps).toBeLessThan(1000);
          if ((await runStep(scheduler, engine, keeper, clock)) === null) clock.advance(5);
          expect(engine.sequences).toBe(scheduler.resident.length);
        }
        const fails = drafts.map(
          ({ failsAt, outputTokens }) => failsAt !== null && failsAt <= outputTokens,
        );
        expect(requests.map(({ end }) => end?.kind)).toEqual(
          fails.map((is) => (is ? 'failed' : 'finished')),
        );
        expect(requests.map(({ generated }) => generated)).toEqual(
          drafts.map(({ failsAt, outputTokens }, i) =>
            fails[i] ? (failsAt ?? 0) - 1 : outputTokens,
          ),
        );
        expect(told.sort()).toEqual(
          fails.flatMap((is, i) => (is ? [`r${i}: No token for r${i}.`] : [])).sort(),
        );
        expect(engine.kv.freePages).toBe(engine.capacity.totalPages);
      }),
      { numRuns: 15 },
    );
  },
);

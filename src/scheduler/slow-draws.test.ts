import { describe, expect, it } from 'vitest';
import { VirtualClock } from './clock';
import type { StepPlan, StepResult } from './executor';
import { runStep } from './loop';
import { createPolicy } from './policies';
import { Scheduler } from './scheduler';
import { CountingEngine } from './testing/counting-engine';
import { COUNTING_KEEPER } from './testing/counting-keeper';

/** An engine that takes a while to make ready what some sequence is drawn with. */
class SlowEngine extends CountingEngine {
  readonly steps: string[][] = [];
  readonly #slow: string;
  #ready = () => {};
  readonly #wait = new Promise<void>((resolve) => {
    this.#ready = resolve;
  });
  isReady = false;
  /** What is about to be there, before each step. */
  soon: Promise<void> | undefined;

  constructor(clock: VirtualClock, slow: string) {
    super({ clock });
    this.#slow = slow;
  }

  untilDrawable(id: string): Promise<void> | undefined {
    return id === this.#slow && !this.isReady ? this.#wait : undefined;
  }

  untilSettled(): Promise<void> | undefined {
    return this.soon;
  }

  makeReady(): void {
    this.isReady = true;
    this.#ready();
  }

  override step(plan: StepPlan): Promise<StepResult> {
    this.steps.push(plan.work.map(({ sequenceId }) => sequenceId));
    return super.step(plan);
  }
}

function serving(ids: readonly string[], slow: string) {
  const clock = new VirtualClock();
  const engine = new SlowEngine(clock, slow);
  const scheduler = new Scheduler({ policy: createPolicy('fcfs'), engine, costs: engine.costs });
  const requests = ids.map((id) =>
    scheduler.submit(
      { id, app: 'a', slo: { class: 'best-effort' }, promptTokens: 4, maxTokens: 3 },
      0,
    ),
  );
  return {
    engine,
    requests,
    scheduler,
    step: (onReady?: () => void) => runStep(scheduler, engine, COUNTING_KEEPER, clock, onReady),
  };
}

describe('a sequence whose next token cannot be drawn yet', () => {
  it('is left out of steps, and all others go on', async () => {
    const { engine, requests, step } = serving(['slow', 'quick'], 'slow');
    const [slow, quick] = requests;
    for (let steps = 0; quick.end === undefined && steps < 10; steps++) await step();
    expect(quick.end?.kind).toBe('finished');
    expect(slow.generated).toBe(0);
    expect(engine.steps.flat()).not.toContain('slow');
    engine.makeReady();
    for (let steps = 0; slow.end === undefined && steps < 10; steps++) await step();
    expect(slow).toMatchObject({ generated: 3, end: { kind: 'finished' } });
  });

  it('is waited for where there is nothing else to do, and nobody who comes meanwhile waits with it', async () => {
    const { engine, requests, step } = serving(['slow'], 'slow');
    let calls = 0;
    expect(await step(() => calls++)).toBeNull();
    expect(calls).toBe(0);
    engine.makeReady();
    await Promise.resolve();
    expect(calls).toBe(1);
    expect(await step()).not.toBeNull();
    expect(requests[0].generated).toBe(1);
  });

  it('is in the next step where that is about to be there', async () => {
    const { engine, requests, step } = serving(['slow', 'quick'], 'slow');
    engine.soon = Promise.resolve().then(() => engine.makeReady());
    await step();
    expect(engine.steps[0]?.toSorted()).toEqual(['quick', 'slow']);
    expect(requests.map(({ generated }) => generated)).toEqual([1, 1]);
  });

  it('may end while it is waited for', async () => {
    const { engine, requests, scheduler, step } = serving(['slow', 'quick'], 'slow');
    engine.makeReady();
    await step();
    const [slow] = requests;
    engine.soon = Promise.resolve().then(() => {
      scheduler.end(slow, { kind: 'aborted' }, 0);
    });
    await step();
    expect(engine.steps[1]).toEqual(['quick']);
  });
});

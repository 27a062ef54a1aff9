import type { StepEngine } from '../src/engine/step-engine';
import type { StepTimes } from '../src/engine/webllm/webllm-engine';

/** Where a decode step's time goes: means, ms. The parts make up `stepMs`, but for a few microseconds. */
export interface StepParts {
  /** Steps that the means are of: those in which everybody decodes. */
  steps: number;
  /** From the end of the step before to the end of this one. */
  stepMs: number;
  /** Scheduler and server, between two steps. */
  betweenMs: number;
  /** Making and sending the forward's commands. */
  issueMs: number;
  /** Masks and tables prepared while the GPU works: what the overlap saves, as long as `waitMs` > 0. */
  overlapMs: number;
  /** Waiting for the GPU. */
  waitMs: number;
  /** Reading and drawing on the CPU. */
  drawMs: number;
  /**
   * The GPU has nothing to do: draw, between and issue, at most (older runtimes send commands one by
   * one, so that it works from the first one on). More overlap could save this and no more.
   */
  idleMs: number;
}

type Sums = Omit<StepParts, 'idleMs'>;

/** Times an engine's decode steps from outside, and takes what it measures itself along. */
export class StepWatch {
  #sums: Sums | undefined;
  #endMs: number | undefined;

  constructor(engine: StepEngine & { readonly times: StepTimes }) {
    const step = engine.step.bind(engine);
    engine.step = async (plan) => {
      const startMs = performance.now();
      const before = { ...engine.times };
      const result = await step(plan);
      const endMs = performance.now();
      const since = this.#endMs;
      this.#endMs = endMs;
      const decodes = plan.work.every(({ tokens }) => tokens === 1);
      if (this.#sums === undefined || since === undefined || !decodes) return result;
      const { times } = engine;
      this.#sums.steps++;
      this.#sums.stepMs += endMs - since;
      this.#sums.betweenMs += startMs - since;
      this.#sums.issueMs += times.issueMs - before.issueMs;
      this.#sums.overlapMs += times.overlapMs - before.overlapMs;
      this.#sums.waitMs += times.waitMs - before.waitMs;
      this.#sums.drawMs += times.drawMs - before.drawMs;
      return result;
    };
  }

  /** The decode steps that `work` takes; what it waits for beside them must be steps too. */
  async during(work: () => Promise<unknown>): Promise<StepParts> {
    const sums: Sums = {
      steps: 0,
      stepMs: 0,
      betweenMs: 0,
      issueMs: 0,
      overlapMs: 0,
      waitMs: 0,
      drawMs: 0,
    };
    this.#sums = sums;
    this.#endMs = undefined;
    await work();
    this.#sums = undefined;
    const mean = (sum: number) => sum / Math.max(1, sums.steps);
    return {
      steps: sums.steps,
      stepMs: mean(sums.stepMs),
      betweenMs: mean(sums.betweenMs),
      issueMs: mean(sums.issueMs),
      overlapMs: mean(sums.overlapMs),
      waitMs: mean(sums.waitMs),
      drawMs: mean(sums.drawMs),
      idleMs: mean(sums.drawMs + sums.betweenMs + sums.issueMs),
    };
  }
}

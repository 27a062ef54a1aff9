import { metSlo } from './gain';
import type { StepRecord } from './loop';
import type { Request } from './request';
import type { Scheduler } from './scheduler';

/** An output token of a step. */
interface Output {
  /** Its place, from 0. */
  index: number;
  /** How long after the one before it (the first: after arrival) it came, ms. */
  sinceMs: number;
}

/** The output tokens of the step that is under way. */
export class StepOutputs {
  readonly #outputs = new Map<Request, Output>();
  readonly #lastTokenMs = new WeakMap<Request, number>();

  get size(): number {
    return this.#outputs.size;
  }

  /** The step gave `request` its next output token. */
  add(request: Request): void {
    const atMs = request.lastTokenMs ?? request.arrivalMs;
    const sinceMs = atMs - (this.#lastTokenMs.get(request) ?? request.arrivalMs);
    this.#lastTokenMs.set(request, atMs);
    this.#outputs.set(request, { index: request.generated - 1, sinceMs });
  }

  of(request: Request): Output | undefined {
    return this.#outputs.get(request);
  }

  /** The next step begins. */
  clear(): void {
    this.#outputs.clear();
  }
}

/** A step as a timeline shows it. */
export function stepTrace(
  number: number,
  { plan, startMs, endMs }: StepRecord,
  outputs: StepOutputs,
) {
  return {
    number,
    startMs,
    endMs,
    work: plan.work.map(({ request, tokens }) => {
      const kind: 'decode' | 'prefill' =
        tokens === 1 && request.generated > 1 ? 'decode' : 'prefill';
      const { id: requestId, app } = request;
      return { requestId, app, kind, tokens, output: outputs.of(request) };
    }),
    preempted: plan.preempted.map(({ id }) => id),
    finished: plan.work
      .filter(({ request }) => request.end?.kind === 'finished')
      .map(({ request }) => ({
        requestId: request.id,
        app: request.app,
        class: request.class,
        arrivalMs: request.arrivalMs,
        met: metSlo(request),
      })),
  };
}

/** A live request as a queue shows it, but for what the last step did for it. */
export function requestTrace(request: Request) {
  return {
    id: request.id,
    app: request.app,
    stage: request.stage,
    class: request.class,
    slo: request.slo,
    program: request.program?.id,
    arrivalMs: request.arrivalMs,
    dueMs: Number.isFinite(request.nextDueMs) ? request.nextDueMs : undefined,
    promptTokens: request.promptTokens,
    computedTokens: request.computed,
    generatedTokens: request.generated,
    maxTokens: request.maxTokens,
  };
}

/** How much of an engine is taken, of how much. */
export function occupancyOf({ resident, waiting, capacity, kv }: Scheduler) {
  return {
    live: { resident: resident.length, waiting: waiting.length },
    kv: {
      totalPages: capacity.totalPages,
      freePages: kv.freePages,
      cachedPages: kv.cachedPages,
    },
    capacity: {
      maxBatch: capacity.maxBatch,
      maxSequences: capacity.maxSequences,
      contextWindow: capacity.contextWindow,
    },
  };
}

import type { ProgramTrace, RequestTrace, Snapshot, StepTrace } from '../../../client';
import { metSlo, type Program, type Request, type Scheduler, type StepRecord } from '../../../lab';

/** A step of a replay, as a server would tell it. */
export function stepTrace(
  number: number,
  { plan, startMs, endMs }: StepRecord,
  outputs: ReadonlyMap<Request, number>,
): StepTrace {
  return {
    number,
    startMs,
    endMs,
    work: plan.work.map(({ request, tokens }) => {
      const sinceMs = outputs.get(request);
      return {
        requestId: request.id,
        app: request.app,
        kind: tokens === 1 && request.generated > 1 ? 'decode' : 'prefill',
        tokens,
        ...(sinceMs !== undefined && { output: { index: request.generated - 1, sinceMs } }),
      };
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

export function programTrace({ id, app, startMs, deadlineMs, endMs }: Program): ProgramTrace {
  return { id, app, startMs, deadlineMs, endMs: endMs ?? startMs };
}

/** A live request, as a server would tell of it. */
export function requestTrace(request: Request, state: RequestTrace['state']): RequestTrace {
  const dueMs =
    request.class === 'latency' ? request.tokenDueMs(request.generated) : request.deadlineMs;
  return {
    id: request.id,
    app: request.app,
    stage: request.stage,
    class: request.class,
    slo: request.slo,
    ...(request.program !== undefined && { program: request.program.id }),
    state,
    arrivalMs: request.arrivalMs,
    ...(Number.isFinite(dueMs) && { dueMs }),
    promptTokens: request.promptTokens,
    computedTokens: request.computed,
    generatedTokens: request.generated,
    maxTokens: request.maxTokens,
  };
}

/** What changes from one frame to the next. */
export type Frame = Pick<
  Snapshot,
  'atMs' | 'steps' | 'programs' | 'requests' | 'live' | 'plan' | 'kv' | 'capacity'
>;

export function frameOf(
  scheduler: Scheduler,
  happened: Pick<Frame, 'atMs' | 'steps' | 'programs' | 'requests'>,
): Frame {
  const { resident, waiting, capacity, kv } = scheduler;
  return {
    ...happened,
    live: { resident: resident.length, waiting: waiting.length },
    plan: [],
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

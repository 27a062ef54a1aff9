import { DEFAULT_GAIN, Metrics, type PolicyName, type Request } from '../scheduler';
import type { RequestTrace, ServerState, Snapshot } from './server-types';
import type { Serving } from './serving';
import type { Seen } from './timeline';

/** Requests that a snapshot shows. */
const SHOWN_REQUESTS = 256;

export interface SnapshotContext {
  atMs: number;
  state: ServerState;
  policy: PolicyName;
  policySinceMs: number;
}

/** What a watcher sees that has seen so much before. */
export function snapshotOf(
  serving: Serving | undefined,
  seen: Seen,
  { atMs, state, policy, policySinceMs }: SnapshotContext,
): Snapshot {
  if (serving === undefined) {
    return {
      atMs,
      state,
      policy,
      policySinceMs,
      simulated: false,
      metrics: new Metrics(DEFAULT_GAIN).snapshot(),
      steps: [],
      programs: [],
      requests: [],
      live: { resident: 0, waiting: 0 },
      plan: [],
      kv: { totalPages: 0, freePages: 0, cachedPages: 0 },
      capacity: { maxBatch: 0, maxSequences: 0, contextWindow: 0 },
      tokensPerSecond: 0,
    };
  }
  const { scheduler, timeline, engine } = serving;
  const { resident, waiting, capacity, kv } = scheduler;
  const inLastStep = new Map(
    timeline.lastStep?.work.map(({ requestId, kind }) => [requestId, kind]),
  );
  const stateOf = (request: Request): RequestTrace['state'] =>
    request.resident ? (inLastStep.get(request.id) ?? 'paused') : 'waiting';
  return {
    atMs,
    state,
    policy,
    policySinceMs,
    simulated: engine.model.simulated,
    metrics: scheduler.metrics.snapshot(),
    steps: timeline.since(seen),
    programs: timeline.programsSince(seen),
    requests: [...resident, ...waiting]
      .slice(0, SHOWN_REQUESTS)
      .map((request) => ({ ...traceOf(request), state: stateOf(request) })),
    live: { resident: resident.length, waiting: waiting.length },
    plan: scheduler.explain().slice(0, SHOWN_REQUESTS),
    kv: {
      totalPages: capacity.totalPages,
      freePages: kv.freePages,
      cachedPages: kv.cachedPages,
    },
    prefix: engine.prefixMetrics && { ...engine.prefixMetrics },
    capacity: {
      maxBatch: capacity.maxBatch,
      maxSequences: capacity.maxSequences,
      contextWindow: capacity.contextWindow,
    },
    tokensPerSecond: timeline.tokensPerSecond(atMs),
  };
}

function traceOf(request: Request): Omit<RequestTrace, 'state'> {
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

import {
  DEFAULT_GAIN,
  Metrics,
  occupancyOf,
  type PolicyName,
  type Request,
  requestTrace,
} from '../scheduler';
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
  const { resident, waiting } = scheduler;
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
      .map((request) => ({ ...requestTrace(request), state: stateOf(request) })),
    plan: scheduler.explain().slice(0, SHOWN_REQUESTS),
    ...occupancyOf(scheduler),
    prefix: engine.prefixMetrics && { ...engine.prefixMetrics },
    tokensPerSecond: timeline.tokensPerSecond(atMs),
  };
}

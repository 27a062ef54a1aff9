import { batchSize } from '../executor';
import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveLowest } from './queue';

export const entry: PolicyEntry = {
  name: 'qlm',
  make: qlm,
};

export const about: PolicyAbout = {
  origin: 'QLM',
  line: 'Groups of like requests, ordered by how long each would wait.',
  order: 'the group of like requests that is due first',
  goesBy: 'due',
  source: 'Patke et al., SoCC ’24, arXiv 2407.00047',
};

/** Steps between two reorderings of the queue. */
const REORDER_STEPS = 20;
/** Program deadlines this near to one another make one group, ms. */
const DEADLINE_BUCKET_MS = 10_000;

/** Requests of one app with one objective: QLM's unit of ordering. */
interface Group {
  members: Request[];
  /** Engine time for all of them at full batch, ms. */
  workMs: number;
  /** When the first of them must have been served, ms. */
  dueMs: number;
}

/**
 * QLM: requests with like objectives form groups, and the virtual queue orders groups, not requests.
 * A group's waiting time is estimated from the output tokens expected ahead of it and the engine's
 * token throughput; the order is that of due times, except that groups which make others late are
 * moved back; the running requests of a group that fell behind are evicted, here paused (Patke et
 * al., "Queue Management for SLO-Oriented Large Language Model Serving", SoCC '24, arXiv 2407.00047,
 * sections 4 to 6). The paper's linear program for many models and instances comes down to
 * minimizing late work on one queue, which Moore and Hodgson's rule does (Management Science 1968).
 */
export function qlm(): Policy {
  let positions = new Map<Request, number>();
  let step = 0;
  return {
    name: 'qlm',
    plan(view, builder) {
      if (step++ % REORDER_STEPS === 0)
        positions = positionsIn(orderGroups(groupsOf(view), view.now));
      // Who arrived since waits for the next reordering, unless there is room.
      serveLowest((r) => positions.get(r) ?? Number.POSITIVE_INFINITY, view, builder);
    },
  };
}

function groupsOf(view: SchedulerView): Group[] {
  const groups = new Map<string, Group>();
  const { baseMs, perDecodeMs, perPrefillTokenMs } = view.cost.costs;
  const batch = batchSize(view);
  const stepMs = baseMs + perDecodeMs * batch;
  for (const list of [view.resident, view.waiting]) {
    for (const request of list) {
      const key = keyOf(request);
      let group = groups.get(key);
      if (group === undefined) {
        group = { members: [], workMs: 0, dueMs: Number.POSITIVE_INFINITY };
        groups.set(key, group);
      }
      const tokens = view.lengths.remaining(request, 0.5);
      const prefillMs = request.decoding ? 0 : request.pendingTokens * perPrefillTokenMs;
      group.members.push(request);
      group.workMs += prefillMs + (tokens * stepMs) / batch;
      group.dueMs = Math.min(group.dueMs, dueMs(request, prefillMs + tokens * stepMs));
    }
  }
  return [...groups.values()];
}

/** Latest start: a stream's next token, else the deadline less the time the request itself takes, ms. */
function dueMs(request: Request, ownMs: number): number {
  return request.nextDueMs - (request.class === 'latency' ? 0 : ownMs);
}

function keyOf(request: Request): string {
  const { slo, app } = request;
  switch (slo.class) {
    case 'latency':
      return `${app}/${slo.ttft}/${slo.tbt}`;
    case 'deadline':
      return `${app}/${slo.ttlt}`;
    case 'program':
      return `${app}/${Math.floor(request.deadlineMs / DEADLINE_BUCKET_MS)}`;
    case 'best-effort':
      return app;
  }
}

/** Due order, less the groups that have to be late: whenever one would be, the largest so far moves to the end. */
function orderGroups(groups: Group[], nowMs: number): Group[] {
  groups.sort((a, b) => a.dueMs - b.dueMs);
  const kept: Group[] = [];
  const late: Group[] = [];
  let waitMs = 0;
  for (const group of groups) {
    const inTime = nowMs + waitMs <= group.dueMs;
    kept.push(group);
    waitMs += group.workMs;
    if (inTime) continue;
    const largest = kept.reduce((a, b) => (b.workMs > a.workMs ? b : a));
    kept.splice(kept.indexOf(largest), 1);
    late.push(largest);
    waitMs -= largest.workMs;
  }
  return [...kept, ...late];
}

function positionsIn(groups: readonly Group[]): Map<Request, number> {
  const positions = new Map<Request, number>();
  for (const [i, { members }] of groups.entries()) {
    for (const request of members) positions.set(request, i);
  }
  return positions;
}

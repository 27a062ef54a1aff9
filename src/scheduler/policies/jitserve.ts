import { decay } from '../gain';
import type { Policy } from '../policy';
import type { Program } from '../program';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import type { PolicyAbout, PolicyEntry } from './entry';
import { lowest, serveLowest } from './queue';

export const entry: PolicyEntry = {
  name: 'jitserve',
  make: jitserve,
};

export const about: PolicyAbout = {
  origin: 'JITServe',
  line: 'Picks a batch by gain per unit of work and keeps it for a frame of steps.',
  order: 'most gain per ms first, for 50 steps at a time',
  source: 'Zhang et al., NSDI ’26, arXiv 2504.20068',
};

/** Steps between two choices of the batch. */
const FRAME_STEPS = 50;
/** The batch is chosen among this many times its size of the densest requests. */
const TOP_K = 3;
/** Step time to start from, ms, and the steps it is averaged over later. */
const FIRST_STEP_MS = 20;
const AVERAGED_STEPS = 500;
/** The quantile of output length planned with: an upper bound. */
const LENGTH_QUANTILE = 0.9;

/**
 * JITServe's grouped margin goodput, the published rule: every so many steps, requests are ranked by
 * density, the gain they would earn if served from now on over the time they still need; of the
 * densest (three batches of them), sorted by context length, the window of one batch with the
 * greatest density runs, so that its members' lengths are alike. In between, places that come free
 * go to the densest. A program's members share the density of the program as far as it has arrived: all
 * their gain over all their time (Zhang et al., "JITServe", NSDI '26, and arXiv 2504.20068,
 * section 4.2; rule and constants as in the artifact). It looks at each request by itself: whether
 * the chosen fit together is not asked.
 */
export function jitserve(): Policy {
  let window = new Set<Request>();
  let densities = new Map<Request, number>();
  let frame = 0;
  let stepMs = FIRST_STEP_MS;
  let lastStepMs = FIRST_STEP_MS;
  return {
    name: 'jitserve',
    submitted(request, view) {
      densities.set(request, densityOf(request, view, stepMs));
    },
    served(_request, _tokens, durationMs) {
      lastStepMs = durationMs;
    },
    ended(request) {
      window.delete(request);
      densities.delete(request);
    },
    plan(view, builder) {
      stepMs += (lastStepMs - stepMs) / AVERAGED_STEPS;
      if (frame++ % FRAME_STEPS === 0) {
        densities = densitiesOf(view, stepMs);
        window = chooseWindow(view, builder.maxBatch, densities);
      }
      const rank = (request: Request) =>
        (window.has(request) ? -IN_WINDOW : 0) - (densities.get(request) ?? 0);
      serveLowest(rank, view, builder);
      // Who took a free place keeps it to the end of the frame.
      for (const { request } of builder.work) window.add(request);
    },
  };
}

/** Above any density. */
const IN_WINDOW = 1e12;

function densitiesOf(view: SchedulerView, stepMs: number): Map<Request, number> {
  const densities = new Map<Request, number>();
  const programs = new Map<Program, number>();
  for (const list of [view.resident, view.waiting]) {
    for (const request of list) {
      const { program } = request;
      let density = program && programs.get(program);
      if (density === undefined) {
        density = densityOf(request, view, stepMs);
        if (program !== undefined) programs.set(program, density);
      }
      densities.set(request, density);
    }
  }
  return densities;
}

/** Gain per ms still needed; for a program's member, over all its members that have arrived and not ended. */
function densityOf(request: Request, view: SchedulerView, stepMs: number): number {
  const calls = request.program?.calls.filter((call) => !call.ended) ?? [request];
  const left = calls.map((call) => view.lengths.remaining(call, LENGTH_QUANTILE));
  const remainMs = stepMs * left.reduce((a, b) => a + b, 0);
  const reward = calls.reduce((sum, call, i) => sum + rewardOf(call, left[i], remainMs, view), 0);
  return reward / remainMs;
}

/** What the request earns if it is served from now on without a pause, `left` tokens in `remainMs`. */
function rewardOf(
  request: Request,
  left: number,
  remainMs: number,
  { gain, now, cost }: SchedulerView,
): number {
  const spentMs = now - (request.program?.startMs ?? request.arrivalMs);
  const endMs = spentMs + remainMs;
  const output = request.generated + left;
  const prompt = gain.inputWeight * request.promptTokens;
  switch (request.slo.class) {
    case 'latency': {
      const { ttft, tbt } = request.slo;
      const decodes = gain.outputWeight * left * decay(ttft + output * tbt, endMs, gain.alpha);
      if (request.generated > 0) return decodes;
      return prompt * decay(ttft, spentMs + cost.costs.baseMs, gain.alpha) + decodes;
    }
    case 'best-effort':
      return gain.bestEffortWeight * (prompt + gain.outputWeight * output);
    default: {
      const sloMs = request.deadlineMs - now + spentMs;
      return (prompt + gain.outputWeight * output) * decay(sloMs, endMs, gain.alpha);
    }
  }
}

/** Of the densest requests by context length, the batch in a row with the greatest density. */
function chooseWindow(
  view: SchedulerView,
  batch: number,
  densities: ReadonlyMap<Request, number>,
): Set<Request> {
  const density = (request: Request) => densities.get(request) ?? 0;
  const top = lowest([view.resident, view.waiting], TOP_K * batch, (r) => -density(r));
  top.sort((a, b) => a.knownTokens - b.knownTokens || a.order - b.order);
  let sum = 0;
  let best = Number.NEGATIVE_INFINITY;
  let end = top.length;
  for (const [i, request] of top.entries()) {
    sum += density(request);
    if (i >= batch) sum -= density(top[i - batch]);
    if (i >= batch - 1 && sum > best) {
      best = sum;
      end = i + 1;
    }
  }
  return new Set(top.slice(Math.max(0, end - batch), end));
}

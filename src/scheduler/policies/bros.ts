import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveLowest } from './queue';

export const entry: PolicyEntry = {
  name: 'bros',
  make: bros,
};

export const about: PolicyAbout = {
  origin: 'BROS',
  line: 'Streams before everything else, but only while they are about to be due.',
  order: 'streams first while a token is about to be due',
  goesBy: 'due',
  source: 'Wan et al., arXiv 2504.09590',
};

/**
 * How far ahead of its due time a stream is still preferred to best-effort work, as a multiple of
 * its time between tokens. This bounds the bias towards real-time requests.
 */
const BIAS = 2;

/**
 * BROS: real-time requests (here the latency class) share the engine with best-effort ones (all
 * others). The priority is dynamic: a real-time request goes before best-effort work by how soon its
 * next token is due, but only while it needs to, so that the bias in its favour stays bounded; one
 * that is ahead of schedule leaves its place in the batch to best-effort work, which keeps the order
 * of arrival (Wan et al., "Efficient LLM Serving on Hybrid Real-time and Best-effort Requests",
 * arXiv 2504.09590, section 4).
 */
export function bros(): Policy {
  return {
    name: 'bros',
    plan(view, builder) {
      serveLowest((request) => rank(request, view), view, builder);
    },
  };
}

/** Real-time in need by due time (below 0), then best-effort (0), then real-time ahead of schedule. */
function rank(request: Request, view: SchedulerView): number {
  if (request.slo.class !== 'latency') return 0;
  const dueMs = request.nextDueMs;
  const aheadMs = dueMs - view.now;
  // A prompt takes a while: it is never early.
  if (request.decoding && aheadMs > BIAS * request.slo.tbt) return aheadMs;
  return dueMs - FAR_FUTURE_MS;
}

/** Later than any due time, ms. */
const FAR_FUTURE_MS = 1e15;

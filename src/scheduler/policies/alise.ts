import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveLowest } from './queue';

export const entry: PolicyEntry = {
  name: 'alise',
  make: alise,
};

export const about: PolicyAbout = {
  origin: 'ALISE',
  line: 'Shortest predicted time to go first, with ageing so that long ones get a turn.',
  order: 'shortest time to go first, less what it waited',
  goesBy: 'to-go',
  source: 'Zhao and Wang, arXiv 2410.23537',
};

/** Waiting this many ms makes a request count as 1 ms shorter. */
const AGEING = 4;

/**
 * ALISE: speculative shortest job first. The priority is the predicted time still to go, prompt and
 * output, so that it rises as generation goes on; a job that outlives its prediction is predicted
 * anew; jobs age while they wait, so that long ones are not starved; preemption at every step (Zhao
 * and Wang, "ALISE: Accelerating Large Language Model Serving with Speculative Scheduling",
 * arXiv 2410.23537, section 3).
 */
export function alise(): Policy {
  const predictions = new Map<Request, number>();
  const predict = (request: Request, view: SchedulerView) => {
    const total = request.generated + view.lengths.remaining(request, 0.5);
    predictions.set(request, total);
    return total;
  };
  return {
    name: 'alise',
    submitted(request, view) {
      predict(request, view);
    },
    ended(request) {
      predictions.delete(request);
    },
    plan(view, builder) {
      const { baseMs, perDecodeMs, perPrefillTokenMs } = view.cost.costs;
      const rank = (request: Request) => {
        let total = predictions.get(request) ?? 0;
        if (total <= request.generated) total = predict(request, view);
        const prefillMs = request.decoding ? 0 : request.pendingTokens * perPrefillTokenMs;
        const toGoMs = prefillMs + (total - request.generated) * (baseMs + perDecodeMs);
        const waitedMs = view.now - (request.lastTokenMs ?? request.arrivalMs);
        return toGoMs - waitedMs / AGEING;
      };
      serveLowest(rank, view, builder);
    },
  };
}

import type { Policy } from '../policy';
import type { Request } from '../request';
import type { PolicyAbout, PolicyEntry } from './entry';
import { serveLowest } from './queue';

export const entry: PolicyEntry = {
  name: 'sjf',
  make: sjf,
};

export const about: PolicyAbout = {
  origin: 'shortest job first',
  line: 'The request with the least predicted work goes first; long ones wait.',
  order: 'shortest predicted answer first',
  goesBy: 'to-go',
  source: 'Fu et al., NeurIPS ’24, arXiv 2408.15792',
};

/** Steps a request may go without service before it is promoted. */
const STARVATION_STEPS = 500;
/** Steps it is served for once it is. */
const PROMOTED_STEPS = 50;

interface Mark {
  predicted: number;
  /** Steps since it was last served. */
  idleFrom: number;
  promotedUntil: number;
}

/**
 * Predicted shortest job first: at every step the requests with the shortest predicted answers run,
 * whatever ran before; who starves for too many steps goes first for a while (Fu et al., "Efficient
 * LLM Scheduling by Learning to Rank", NeurIPS '24, arXiv 2408.15792, section 4.2, algorithm 1). The
 * prediction is the median at arrival, of all output tokens, and is not refined.
 */
export function sjf(): Policy {
  const marks = new Map<Request, Mark>();
  let step = 0;
  return {
    name: 'sjf',
    submitted(request, view) {
      const predicted = request.generated + view.lengths.remaining(request, 0.5);
      marks.set(request, { predicted, idleFrom: step, promotedUntil: -1 });
    },
    ended(request) {
      marks.delete(request);
    },
    served(request) {
      const mark = marks.get(request);
      if (mark !== undefined) mark.idleFrom = step;
    },
    plan(view, builder) {
      step++;
      const rank = (request: Request) => {
        const mark = marks.get(request);
        if (mark === undefined) return Number.POSITIVE_INFINITY;
        if (step - mark.idleFrom > STARVATION_STEPS && step > mark.promotedUntil) {
          mark.promotedUntil = step + PROMOTED_STEPS;
        }
        return step <= mark.promotedUntil ? -1 : mark.predicted;
      };
      serveLowest(rank, view, builder);
    },
  };
}

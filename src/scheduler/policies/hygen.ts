import type { PlanBuilder } from '../plan';
import type { Policy } from '../policy';
import type { Request } from '../request';
import { BudgetedStep } from './budgeted-step';
import type { PolicyAbout, PolicyEntry } from './entry';
import { fits, TOKEN_BUDGET } from './queue';

export const entry: PolicyEntry = {
  name: 'hygen',
  make: () => hygen(),
};

export const about: PolicyAbout = {
  origin: 'HyGen',
  line: 'Streams first; other work is let in while the step stays within their budget.',
  order: 'streams first, others in the time they leave',
  words: {
    decodes: 'Runs: {order}',
    reads: 'Reads {prompt}: {order}',
    pauses: 'The prompt tokens of this step are spent',
  },
  source: 'Sun et al., arXiv 2501.14808',
};

/** The step time allowed, as a share of the tightest time between tokens in the batch. */
const BUDGET_SHARE = 0.9;

/** The oldest goes first once for so many that go first because they share most. */
const SHARED_IN_A_ROW = 8;
/** Of the oldest that wait, so many are looked at: matching prompts takes time. */
const LOOKED_AT = 8;

/**
 * HyGen: online requests (here the latency class) are scheduled first, as Sarathi-Serve would; then
 * offline work (all others) is admitted for as long as the predicted step time stays within the latency
 * budget that the online requests' objective leaves. Offline work is admitted in the order that shares
 * most: its prompts make a tree of prefixes, which is walked depth first, so that those with the longest
 * prefix in common come one after another; against starvation the oldest has its turn in between (prefix
 * sharing maximization). Offline requests give way to online ones at any step (Sun et al., "HyGen:
 * Efficient LLM Serving via Elastic Online-Offline Request Co-location", arXiv 2501.14808, section 4,
 * algorithm 1).
 *
 * Decided here: the budget is nine tenths of the tightest time between tokens, where it is published as
 * found by runs of the workload; the predictor is the scheduler's linear cost model. The scheduler sees no
 * tokens, but the engine tells how much of a prompt is computed already: who has most of it goes first,
 * which is the next leaf of that walk as long as the last one's prefix is kept; of the eight oldest, and
 * the oldest of all after eight in a row.
 */
export function hygen(tokenBudget = TOKEN_BUDGET): Policy {
  let sharedInARow = 0;
  return {
    name: 'hygen',
    plan(view, builder) {
      const step = new BudgetedStep(view, builder, tokenBudget);
      for (const online of [true, false]) {
        if (!online) step.budgetMs = latencyBudgetMs(builder);
        const wanted = (request: Request) => (request.class === 'latency') === online;
        const resident = view.resident.filter(wanted);
        for (const request of resident) if (request.decoding) step.decode(request);
        for (const request of resident) if (!request.decoding) step.prefill(request);
        const waiting = view.waiting.filter(wanted);
        while (waiting.length > 0) {
          const at =
            online || sharedInARow >= SHARED_IN_A_ROW || !fits(waiting[0], view, builder)
              ? 0
              : mostShared(waiting, builder);
          const [request] = waiting.splice(at, 1);
          if (!fits(request, view, builder) || !step.prefill(request)) break;
          if (!online) sharedInARow = at === 0 ? 0 : sharedInARow + 1;
        }
      }
    },
  };
}

/** Of the oldest, the one of whose prompt most is computed already; the oldest where all are alike. */
function mostShared(waiting: readonly Request[], builder: PlanBuilder): number {
  let best = 0;
  let most = builder.cachedTokens(waiting[0]);
  for (let i = 1; i < Math.min(LOOKED_AT, waiting.length); i++) {
    const shared = builder.cachedTokens(waiting[i]);
    if (shared > most) [best, most] = [i, shared];
  }
  return best;
}

/** The tightest time between tokens in the plan, with a margin, ms; Infinity if nothing in it is online. */
function latencyBudgetMs(builder: PlanBuilder): number {
  let tightest = Number.POSITIVE_INFINITY;
  for (const { request } of builder.work) {
    if (request.slo.class === 'latency') tightest = Math.min(tightest, request.slo.tbt);
  }
  return BUDGET_SHARE * tightest;
}

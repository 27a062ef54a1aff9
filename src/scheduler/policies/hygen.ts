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

/**
 * HyGen: online requests (here the latency class) are scheduled first, as Sarathi-Serve would; then
 * offline work (all others) is admitted in order of arrival for as long as the predicted step time
 * stays within the latency budget that the online requests' objective leaves. Offline requests give
 * way to online ones at any step (Sun et al., "HyGen: Efficient LLM Serving via Elastic
 * Online-Offline Request Co-location", arXiv 2501.14808, section 4, algorithm 1). The budget is the
 * tightest time between tokens; the predictor is the scheduler's linear cost model.
 */
export function hygen(tokenBudget = TOKEN_BUDGET): Policy {
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
        for (const request of view.waiting) {
          if (!wanted(request)) continue;
          if (!fits(request, view, builder) || !step.prefill(request)) break;
        }
      }
    },
  };
}

/** The tightest time between tokens in the plan, with a margin, ms; Infinity if nothing in it is online. */
function latencyBudgetMs(builder: PlanBuilder): number {
  let tightest = Number.POSITIVE_INFINITY;
  for (const { request } of builder.work) {
    if (request.slo.class === 'latency') tightest = Math.min(tightest, request.slo.tbt);
  }
  return BUDGET_SHARE * tightest;
}

import type { StepShape } from '../cost-model';
import type { PlanBuilder } from '../plan';
import type { Policy, SchedulerView } from '../policy';
import type { Request } from '../request';
import { fits, TOKEN_BUDGET } from './queue';

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

/** Adds work as long as the predicted step time stays within a budget. */
class BudgetedStep {
  /** ms */
  budgetMs = Number.POSITIVE_INFINITY;
  readonly #view: SchedulerView;
  readonly #builder: PlanBuilder;
  readonly #shape: StepShape = { decodes: 0, contextTokens: 0, prefillTokens: 0 };
  #tokensLeft: number;

  constructor(view: SchedulerView, builder: PlanBuilder, tokenBudget: number) {
    this.#view = view;
    this.#builder = builder;
    this.#tokensLeft = tokenBudget;
  }

  decode(request: Request): void {
    const contextTokens = this.#shape.contextTokens + request.knownTokens;
    const shape = { ...this.#shape, decodes: this.#shape.decodes + 1, contextTokens };
    if (this.#view.cost.stepMs(shape) > this.budgetMs) {
      this.#builder.skip(request, 'tbt-guard');
      return;
    }
    if (this.#builder.add(request, 'in-order') > 0) this.#take(1, request, shape.decodes);
  }

  /** As large a chunk as the budgets allow; false if none. */
  prefill(request: Request): boolean {
    const { costs } = this.#view.cost;
    const leftMs = this.budgetMs - this.#view.cost.stepMs(this.#shape);
    const perTokenMs = costs.perPrefillTokenMs + costs.perContextTokenMs;
    const affordable = perTokenMs > 0 ? Math.floor(leftMs / perTokenMs) : this.#tokensLeft;
    const maxTokens = Math.min(this.#tokensLeft, affordable);
    if (maxTokens < 1) {
      this.#builder.skip(request, 'tbt-guard');
      return false;
    }
    const options = this.#view.capabilities.continuedPrefill ? { maxTokens } : {};
    const tokens = this.#builder.add(request, 'in-order', {}, options);
    if (tokens > 0) this.#take(tokens, request, this.#shape.decodes);
    return tokens > 0;
  }

  #take(tokens: number, request: Request, decodes: number): void {
    const decoded = decodes > this.#shape.decodes;
    this.#shape.decodes = decodes;
    this.#shape.contextTokens += request.computed + tokens;
    if (!decoded) this.#shape.prefillTokens += tokens;
    this.#tokensLeft -= tokens;
  }
}

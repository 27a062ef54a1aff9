import type { PlanBuilder } from '../plan';
import type { StepShape } from '../predict/cost-model';
import type { Request } from '../request';
import type { SchedulerView } from '../view';

/** Adds work as long as the predicted step time stays within a budget. */
export class BudgetedStep {
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

  /** A decode, if the budget allows. */
  decode(request: Request): void {
    const contextTokens = this.#shape.contextTokens + request.knownTokens;
    const shape = { ...this.#shape, decodes: this.#shape.decodes + 1, contextTokens };
    if (this.#view.cost.stepMs(shape) > this.budgetMs) {
      this.#builder.skip(request, 'tbt-guard');
      return;
    }
    if (this.#builder.add(request, 'in-order') > 0) this.#take(1, request, shape.decodes);
  }

  /** As large a chunk as the budgets allow; false if none, or none of `leastTokens` of a longer prompt. */
  prefill(request: Request, leastTokens = 1): boolean {
    const { costs } = this.#view.cost;
    const leftMs = this.budgetMs - this.#view.cost.stepMs(this.#shape);
    const perTokenMs = costs.perPrefillTokenMs + costs.perContextTokenMs;
    const affordable = perTokenMs > 0 ? Math.floor(leftMs / perTokenMs) : this.#tokensLeft;
    const maxTokens = Math.min(this.#tokensLeft, affordable);
    if (maxTokens < Math.min(leastTokens, request.knownTokens - request.coveredTokens)) {
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

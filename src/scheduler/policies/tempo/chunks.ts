import type { PlanBuilder } from '../../plan';
import { pendingPrompt } from '../../predict/pace';
import type { Request } from '../../request';
import type { SchedulerView } from '../../view';
import type { Circumstances } from './appraise';
import { inRush, type Task } from './order';

/**
 * How much of a prompt a step takes. Prompt tokens that the weights' read hides cost nothing, and the
 * room for them is lost with the step; beyond them every token makes everybody wait. So a prompt in
 * no hurry takes little more than what is hidden; a first token that people wait for takes more, and
 * any prompt while most places are free; what has no slack left takes what fits.
 */
export class Chunks {
  readonly #view: SchedulerView;
  readonly #builder: PlanBuilder;
  readonly #on: Circumstances;
  /** When the tightest stream that can still be on time needs its next token, ms. */
  readonly #guardMs: number;
  /** The step so far. */
  readonly #shape = { decodes: 0, contextTokens: 0, prefillTokens: 0 };
  /** Prompt tokens that are in no hurry and that the step may still take. */
  #calmLeft: number;

  /** `ready`: sequences of the promised that decode; `roomy`: most places are free. */
  constructor(
    view: SchedulerView,
    builder: PlanBuilder,
    on: Circumstances,
    ready: number,
    roomy: boolean,
    guardMs: number,
  ) {
    this.#view = view;
    this.#builder = builder;
    this.#on = on;
    this.#guardMs = on.without.has('elastic-batch') ? Number.POSITIVE_INFINITY : guardMs;
    const { calmTokens, rushTokens } = on.tuning;
    const more = ready > 0 && !roomy ? calmTokens : rushTokens;
    this.#calmLeft = view.capabilities.mixedSteps
      ? Math.max(0, view.cost.costs.freeTokens - ready) + more
      : view.capacity.maxPrefillTokens;
  }

  /** No more prompt tokens in no hurry. */
  get spent(): boolean {
    return this.#calmLeft < 1 || this.#builder.prefillLeft < 1;
  }

  /** Whether another decode leaves the tightest stream its time. */
  fitsDecode(request: Request): boolean {
    return this.#leftMs >= this.#view.cost.decodeMs(request.computed + 1);
  }

  decoded(request: Request): void {
    this.#shape.decodes++;
    this.#shape.contextTokens += request.computed + 1;
  }

  prefilled(request: Request, tokens: number): void {
    this.#calmLeft -= tokens;
    this.#shape.prefillTokens += tokens;
    this.#shape.contextTokens += tokens;
    this.#shape.contextTokens += request.coveredTokens;
  }

  /** Prompt tokens that this task may take in this step. */
  tokensFor({ request, startMs, critical }: Task): number {
    const pending = pendingPrompt(request);
    const whole = !this.#view.capabilities.continuedPrefill;
    const alone = this.#builder.batch === 0;
    if (whole) return alone || this.#fits >= pending ? pending : 0;
    const stream = request.class === 'latency';
    const rushTokens = stream && inRush(startMs, this.#on) ? this.#on.tuning.rushTokens : 0;
    const left = stream && critical ? pending : Math.max(0, this.#calmLeft + rushTokens);
    const most = Math.min(pending, this.#builder.prefillLeft, Math.floor(left));
    return Math.min(most, alone ? Math.max(1, this.#fits) : this.#fits);
  }

  /** Prompt tokens that leave the tightest stream its time. */
  get #fits(): number {
    if (this.#guardMs === Number.POSITIVE_INFINITY) return this.#guardMs;
    const { freeTokens, perPrefillTokenMs } = this.#view.cost.costs;
    const { decodes, prefillTokens } = this.#shape;
    const hidden = Math.max(0, freeTokens - decodes - prefillTokens);
    return hidden + Math.max(0, Math.floor(this.#leftMs / Math.max(1e-6, perPrefillTokenMs)));
  }

  /** Time between the step's end, as it is so far, and the tightest stream's next token, ms. */
  get #leftMs(): number {
    return this.#guardMs - this.#on.now - this.#view.cost.stepMs(this.#shape);
  }
}

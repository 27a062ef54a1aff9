import type { PlanBuilder } from './plan';
import type { Request } from './request';
import type { SchedulerView } from './view';

/**
 * Decides what the next step computes. `plan` fills the builder, which refuses whatever the engine
 * could not do. State a rule needs from one step to the next (counters, ages) lives in the policy
 * and is kept current through the hooks.
 */
export interface Policy {
  readonly name: string;
  plan(view: SchedulerView, builder: PlanBuilder): void;
  /**
   * GPU time of the work that goes before a request that waits, or is about to be queued, ms; undefined
   * where the policy cannot tell. It tells how long the request will wait.
   */
  aheadMs?(request: Request, view: SchedulerView): number | undefined;
  /** A request was queued. */
  submitted?(request: Request, view: SchedulerView): void;
  /** A request ended, in any way. */
  ended?(request: Request, view: SchedulerView): void;
  /** `tokens` of the request were computed in a step that took `stepMs`. */
  served?(request: Request, tokens: number, stepMs: number, view: SchedulerView): void;
}

/** What a policy can be told; each takes what it has a use for. */
export interface PolicyOptions {
  /** Weight per app, for policies that share by app. */
  weights?: Readonly<Record<string, number>>;
}

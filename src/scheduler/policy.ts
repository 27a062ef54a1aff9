import type { CostModel } from './cost-model';
import type { GainConfig } from './gain';
import type { LengthPredictor } from './length-predictor';
import type { PlanBuilder } from './plan';
import type { Program } from './program';
import type { ProgramHistory } from './program-history';
import type { Random } from './random';
import type { Request } from './request';
import type { EngineCapabilities, EngineCapacity, KvState } from './step';

/** Everything a policy may look at. All policies see the same; none changes any of it. */
export interface SchedulerView {
  /** ms */
  readonly now: number;
  /** Without pages, in order of arrival (preempted ones keep their place). */
  readonly waiting: readonly Request[];
  /** With pages, in order of admission. */
  readonly resident: readonly Request[];
  /** Not yet ended. */
  readonly programs: ReadonlyMap<string, Program>;
  readonly capacity: EngineCapacity;
  readonly capabilities: EngineCapabilities;
  readonly kv: KvState;
  readonly gain: GainConfig;
  readonly cost: CostModel;
  readonly lengths: LengthPredictor;
  /** Graphs of programs that ended, and what they say of those that run. */
  readonly graphs: ProgramHistory;
  readonly random: Random;
  /** GPU share that best-effort work is guaranteed, 0 to 1. */
  readonly bestEffortShare: number;
}

/**
 * Decides what the next step computes. `plan` fills the builder, which refuses whatever the engine
 * could not do. State a rule needs from one step to the next (counters, ages) lives in the policy
 * and is kept current through the hooks.
 */
export interface Policy {
  readonly name: string;
  plan(view: SchedulerView, builder: PlanBuilder): void;
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

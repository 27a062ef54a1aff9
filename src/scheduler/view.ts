import type { EngineCapabilities, EngineCapacity, KvState } from './executor';
import type { GainConfig } from './gain';
import type { CostModel } from './predict/cost-model';
import type { LengthPredictor } from './predict/length-predictor';
import type { ProgramHistory } from './predict/program-history';
import type { Program } from './program';
import type { Request } from './request';

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
  /** GPU share that best-effort work is guaranteed, 0 to 1. */
  readonly bestEffortShare: number;
}

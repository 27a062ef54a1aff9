import type { SchedulerView } from '../policy';

/** What things cost now, in ms of GPU time, derived once a plan from the cost model. */
export interface Pace {
  /** How long one token of a sequence takes that is in every step. */
  tokenMs: number;
  /** GPU time that one decoded token uses up beside its context, when the batch is full. */
  decodeMs: number;
  /** GPU time that attending to one cached token adds to a decode. */
  contextMs: number;
  /** GPU time that one prompt token uses up. */
  prefillMs: number;
  /** What a step costs before anything is in it. */
  baseMs: number;
}

export function paceOf(view: SchedulerView): Pace {
  const { costs } = view.cost;
  const batch = view.capabilities.batchedDecode ? view.capacity.maxBatch : 1;
  const bare = costs.baseMs + costs.perDecodeMs;
  return {
    tokenMs: Math.max(
      bare,
      view.cost.recentDecodeStepMs ?? costs.baseMs + batch * costs.perDecodeMs,
    ),
    decodeMs: costs.baseMs / batch + costs.perDecodeMs,
    contextMs: costs.perContextTokenMs,
    prefillMs: costs.perPrefillTokenMs,
    baseMs: costs.baseMs,
  };
}

import type { SchedulerView } from '../policy';

/** What things cost now, in ms of GPU time, derived once a plan from the cost model. */
export interface Pace {
  /** How long one token of a sequence takes that is in every step. */
  tokenMs: number;
  /** The same while steps carry no more prompt than they hide: nobody who can make it then is hopeless. */
  bestMs: number;
  /** GPU time that one decoded token uses up beside its context, when the batch is full. */
  decodeMs: number;
  /** GPU time that attending to one cached token adds to a decode. */
  contextMs: number;
  /** GPU time that one prompt token uses up. */
  prefillMs: number;
  /** What a step costs before anything is in it. */
  baseMs: number;
}

/** Steps can be made shorter than they usually are, by this factor at least. */
export const AT_BEST = 0.9;

export function paceOf(view: SchedulerView): Pace {
  const { costs } = view.cost;
  const batch = view.capabilities.batchedDecode ? view.capacity.maxBatch : 1;
  const bare = costs.baseMs + costs.perDecodeMs;
  const tokenMs = Math.max(
    bare,
    view.cost.recentDecodeStepMs ?? costs.baseMs + batch * costs.perDecodeMs,
  );
  const decodesMs = batch * (costs.perDecodeMs + costs.perContextTokenMs * meanContext(view));
  return {
    tokenMs,
    bestMs: Math.min(AT_BEST * tokenMs, costs.baseMs + decodesMs),
    decodeMs: costs.baseMs / batch + costs.perDecodeMs,
    contextMs: costs.perContextTokenMs,
    prefillMs: costs.perPrefillTokenMs,
    baseMs: costs.baseMs,
  };
}

/** Cached tokens of a resident, on average. */
function meanContext({ resident }: SchedulerView): number {
  let tokens = 0;
  for (const request of resident) tokens += request.computed;
  return tokens / Math.max(1, resident.length);
}

import { batchSize } from '../executor';
import type { Request } from '../request';
import type { SchedulerView } from '../view';

/** What things cost now, in ms of GPU time, derived once a plan from the cost model. */
export interface Pace {
  /** How long one token of a sequence takes that is in every step. */
  readonly tokenMs: number;
  /** The same while steps carry no more prompt than they hide: nobody who can make it then is hopeless. */
  readonly bestMs: number;
  /** GPU time that one decoded token uses up beside its context, when the batch is full. */
  readonly decodeMs: number;
  /** GPU time that attending to one cached token adds to a decode. */
  readonly contextMs: number;
  /** GPU time that one prompt token uses up. */
  readonly prefillMs: number;
  /** What a step costs before anything is in it. */
  readonly baseMs: number;
}

export function paceOf(view: SchedulerView): Pace {
  const { costs } = view.cost;
  const batch = batchSize(view);
  const bare = costs.baseMs + costs.perDecodeMs;
  const full = costs.baseMs + batch * costs.perDecodeMs;
  const tokenMs = Math.max(bare, view.cost.recentDecodeStepMs ?? full);
  const bestMs = full + batch * costs.perContextTokenMs * meanContext(view);
  return {
    tokenMs,
    bestMs: Math.min(tokenMs, bestMs),
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

/** Prompt tokens (or tokens to compute again) before the next can be sampled. */
export function pendingPrompt(request: Request): number {
  if (request.resident) return request.decoding ? 0 : request.pendingTokens;
  return Math.max(1, request.knownTokens - request.coveredTokens);
}

/** How long the prompt takes when nothing stands in its way, ms. */
export function prefillTime(request: Request, pace: Pace): number {
  const pending = pendingPrompt(request);
  return pending === 0 ? 0 : pending * pace.prefillMs + pace.baseMs;
}

/** GPU time of a request's pending prompt and its next `tokens`, ms. */
export function gpuTime(request: Request, tokens: number, pace: Pace): number {
  const context = request.knownTokens + tokens / 2;
  return (
    pendingPrompt(request) * pace.prefillMs + tokens * (pace.decodeMs + pace.contextMs * context)
  );
}

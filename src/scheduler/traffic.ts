import { batchSize } from './executor';
import type { Traffic } from './predict/waiting-time';
import type { Request } from './request';
import type { SchedulerView } from './view';

/** How busy the engine is. */
export function trafficOf(view: SchedulerView): Traffic {
  const { capacity, resident, waiting, cost } = view;
  const freeSequences = capacity.maxSequences - resident.length;
  const stepMs = cost.recentDecodeStepMs ?? cost.costs.baseMs;
  const roomMs = freeSequences > 0 ? 0 : firstDoneMs(view, stepMs);
  return { freeSequences, waiting: waiting.length, stepMs, roomMs };
}

/** When the first of the residents is likely to be done, ms. */
function firstDoneMs({ resident, cost, lengths }: SchedulerView, stepMs: number): number {
  const leftMs = resident.map(
    (request) =>
      (request.decoding ? 0 : request.pendingTokens * cost.costs.perPrefillTokenMs) +
      lengths.remaining(request, 0.5) * stepMs,
  );
  return Math.min(...leftMs);
}

/** GPU time that a request is expected to use up in a full batch, ms. */
export function workMs(request: Request, view: SchedulerView): number {
  const { cost, lengths, capacity } = view;
  const { baseMs, perPrefillTokenMs } = cost.costs;
  const batch = Math.min(batchSize(view), capacity.maxSequences);
  const decodeMs = baseMs / batch + cost.decodeMs(request.promptTokens);
  return (
    (request.promptTokens - request.cachedTokens) * perPrefillTokenMs +
    lengths.expected(request) * decodeMs
  );
}

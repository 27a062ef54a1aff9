import { TempoError } from './errors';
import type { Traffic } from './predict/waiting-time';
import type { Request } from './request';
import type { SchedulerView } from './view';

/** Throws `queue_full` where as many wait as may; the error says when there is likely to be room. */
export function checkRoom({ waiting, stepMs, roomMs }: Traffic, maxWaiting: number): void {
  if (waiting < maxWaiting) return;
  // The first of those that wait is taken up then, and leaves its place in the queue.
  const retryAfterMs = Math.ceil(Math.max(stepMs, roomMs));
  throw new TempoError(
    'queue_full',
    `${waiting} requests are waiting, the most this scheduler holds. Try again in ${retryAfterMs} ms.`,
    { retryAfterMs },
  );
}

/**
 * Throws `slo_unattainable` where a request cannot make its objective: not even alone, or not behind
 * those that wait, and then the error says when it might. What belongs to a program, and best effort, always can.
 */
export function checkAttainable(
  request: Request,
  { stepMs }: Traffic,
  { cost, lengths }: SchedulerView,
): void {
  const { slo } = request;
  if (slo.class !== 'latency' && slo.class !== 'deadline') return;
  const { baseMs, perPrefillTokenMs } = cost.costs;
  const prefillMs = (request.promptTokens - request.cachedTokens) * perPrefillTokenMs;
  const tokens = slo.class === 'latency' ? 1 : lengths.remaining(request, 0.5);
  const allowedMs = slo.class === 'latency' ? slo.ttft : slo.ttlt;
  const refuse = (why: string, retryAfterMs?: number) => {
    const sentence = `The objective of ${allowedMs} ms cannot be met: ${why}`;
    return new TempoError('slo_unattainable', sentence, { retryAfterMs, param: 'slo' });
  };
  const aloneMs = prefillMs + tokens * (baseMs + cost.decodeMs(request.promptTokens));
  if (aloneMs > allowedMs) {
    throw refuse(
      `about ${Math.ceil(aloneMs)} ms are needed even with nothing else to do. Allow more time.`,
    );
  }
  const neededMs = request.expectedWaitMs + prefillMs + tokens * stepMs;
  if (neededMs <= allowedMs) return;
  const retryAfterMs = Math.ceil(neededMs - allowedMs);
  throw refuse(
    `about ${Math.ceil(neededMs)} ms are needed now. Try again in ${retryAfterMs} ms, or allow more time.`,
    retryAfterMs,
  );
}

import type { Scheduler } from '../scheduler';

/** How often the waits of those in the queue are looked at, ms. */
const LOOK_EVERY_MS = 250;
/** A wait that has changed by less than this, ms, or by less than a tenth, is not told anew. */
const LEAST_CHANGE_MS = 50;

/** Which waiting times callers have been told, and which of them are out of date. */
export class WaitNews {
  #told = new Map<string, number>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** The caller of a request hears of its wait, ms. */
  told(requestId: string, waitMs: number): void {
    this.#told.set(requestId, waitMs);
  }

  /** The waits, by request id and in whole ms, that have changed since they were told. Looks every so often. */
  since(scheduler: Scheduler, nowMs: number): Map<string, number> {
    const news = new Map<string, number>();
    if (nowMs < this.#lookedMs + LOOK_EVERY_MS) return news;
    this.#lookedMs = nowMs;
    const told = new Map<string, number>();
    for (const { request, waitMs } of scheduler.expectedWaits()) {
      const before = this.#told.get(request.id) ?? 0;
      const changed = Math.abs(waitMs - before) >= Math.max(LEAST_CHANGE_MS, before / 10);
      if (changed) news.set(request.id, Math.round(waitMs));
      told.set(request.id, changed ? waitMs : before);
    }
    this.#told = told;
    return news;
  }
}

import type { Request, Scheduler } from '../scheduler';

/**
 * When each waiting request is likely to be served first: the queue, in order of arrival, is dealt out
 * over the batch's places as they become free, with predicted lengths and the learnt step time. The
 * idea is QLM's request waiting time (Patke et al., "Queue Management for SLO-Oriented Large Language
 * Model Serving", SoCC '24, section 5); a policy that reorders the queue moves requests around it.
 */
export class WaitEstimate {
  readonly #scheduler: Scheduler;
  /** When each place of the batch becomes free, ms from the estimate; ascending. */
  #places: number[] = [];
  #tokenMs = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.refresh();
  }

  /** Estimates anew for the whole queue: ms by request id. */
  refresh(): ReadonlyMap<string, number> {
    const { capacity, capabilities, cost, resident, waiting, live } = this.#scheduler;
    const places = capabilities.batchedDecode
      ? Math.min(capacity.maxBatch, capacity.maxSequences)
      : 1;
    const contextTokens = resident.reduce((sum, request) => sum + request.computed, 0);
    this.#tokenMs = cost.stepMs({
      decodes: Math.max(1, Math.min(places, live)),
      contextTokens,
      prefillTokens: 0,
    });
    this.#places = new Array<number>(places).fill(0);
    for (const request of resident) this.#seat(request);
    const waits = new Map<string, number>();
    for (const request of waiting) waits.set(request.id, this.#seat(request));
    return waits;
  }

  /** A newcomer's wait, ms, behind those counted so far. */
  join(request: Request): number {
    return this.#seat(request);
  }

  /** Takes the place that is free first for as long as the request is likely to run; returns when that is. */
  #seat(request: Request): number {
    const startMs = this.#places[0];
    const { cost, lengths } = this.#scheduler;
    const prefillMs = request.decoding
      ? 0
      : request.pendingTokens * cost.costs.perPrefillTokenMs + this.#tokenMs;
    const endMs = startMs + prefillMs + lengths.remaining(request, 0.5) * this.#tokenMs;
    let at = 0;
    while (at + 1 < this.#places.length && this.#places[at + 1] < endMs) {
      this.#places[at] = this.#places[at + 1];
      at++;
    }
    this.#places[at] = endMs;
    return Math.round(startMs);
  }
}

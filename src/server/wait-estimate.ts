import type { Request, Scheduler } from '../scheduler';

/** How often the waits of those in the queue are looked at, ms. */
const LOOK_EVERY_MS = 250;

/** A wait that has changed by less than this, ms, or by less than a tenth, is not told anew. */
const LEAST_CHANGE_MS = 50;

/** A request's expected time until it is first served, ms. */
export interface Wait {
  requestId: string;
  waitMs: number;
}

/**
 * When each waiting request is likely to be served first: the queue, in order of arrival, is dealt out
 * over the batch's places as they become free, with predicted lengths and the learnt step time. The
 * idea is QLM's request waiting time (Patke et al., "Queue Management for SLO-Oriented Large Language
 * Model Serving", SoCC '24, section 5); a policy that reorders the queue moves requests around it.
 */
export class WaitEstimate {
  readonly #scheduler: Scheduler;
  /** When each place of the batch becomes free, ms from the last look; ascending. */
  #places: number[] = [];
  #tokenMs = 0;
  #told = new Map<string, number>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#look();
  }

  /** When the first of those that wait will be taken up, ms: there is room in the queue then. */
  roomMs(): number {
    const { resident } = this.#scheduler;
    if (resident.length < this.#places.length) return Math.ceil(this.#tokenMs);
    return Math.ceil(Math.min(...resident.map((request) => this.#servingMs(request))));
  }

  /** A newcomer's wait, ms, behind those counted so far. */
  join(request: Request): number {
    const waitMs = this.#seat(request);
    this.#told.set(request.id, waitMs);
    return waitMs;
  }

  /** The waits that have changed since they were last told. Looks every so often. */
  news(nowMs: number): Wait[] {
    if (nowMs < this.#lookedMs + LOOK_EVERY_MS) return [];
    this.#lookedMs = nowMs;
    this.#look();
    const news: Wait[] = [];
    const told = new Map<string, number>();
    for (const request of this.#scheduler.waiting) {
      const waitMs = this.#seat(request);
      const before = this.#told.get(request.id) ?? 0;
      const isNews = Math.abs(waitMs - before) >= Math.max(LEAST_CHANGE_MS, before / 10);
      if (isNews) news.push({ requestId: request.id, waitMs });
      told.set(request.id, isNews ? waitMs : before);
    }
    this.#told = told;
    return news;
  }

  /** Begins anew with those that have pages; the queue is still to be seated. */
  #look(): void {
    const { capacity, capabilities, cost, resident, live } = this.#scheduler;
    const places = capabilities.batchedDecode
      ? Math.min(capacity.maxBatch, capacity.maxSequences)
      : 1;
    this.#tokenMs = cost.stepMs({
      decodes: Math.max(1, Math.min(places, live)),
      contextTokens: resident.reduce((sum, request) => sum + request.computed, 0),
      prefillTokens: 0,
    });
    this.#places = new Array<number>(places).fill(0);
    for (const request of resident) this.#seat(request);
  }

  /** Takes the place that is free first for as long as the request is likely to run; returns when that is. */
  #seat(request: Request): number {
    const startMs = this.#places[0];
    const endMs = startMs + this.#servingMs(request);
    let at = 0;
    while (at + 1 < this.#places.length && this.#places[at + 1] < endMs) {
      this.#places[at] = this.#places[at + 1];
      at++;
    }
    this.#places[at] = endMs;
    return Math.round(startMs);
  }

  /** How long a request still holds its place, ms. */
  #servingMs(request: Request): number {
    const { cost, lengths } = this.#scheduler;
    const prefillMs = request.decoding
      ? 0
      : request.pendingTokens * cost.costs.perPrefillTokenMs + this.#tokenMs;
    return prefillMs + lengths.remaining(request, 0.5) * this.#tokenMs;
  }
}

import type { Request } from '../request';
import type { SloClass } from '../slo';
import { Tally } from '../tally';

/** How good the waiting times told at submission turned out to be. */
export interface WaitingTimeSnapshot {
  /** Requests that were told a waiting time and have been admitted. */
  count: number;
  /** Percentiles of |told − actual|, ms; undefined before the first. */
  p50ErrorMs?: number;
  p95ErrorMs?: number;
  /** Mean of told − actual, ms: above 0, people were told too much. */
  meanBiasMs?: number;
}

/** How long a request is still expected to wait. */
export interface Wait {
  request: Request;
  waitMs: number;
}

/** What the estimate needs to know of the engine at the moment. */
export interface Traffic {
  /** Sequences that may still become resident. */
  freeSequences: number;
  /** Requests without pages. */
  waiting: number;
  /** Step time, ms. */
  stepMs: number;
  /** Until a sequence becomes free, ms; 0 where one is. */
  roomMs: number;
}

/** Weight of the newest observation in what is learnt per class. */
const LEARNING = 0.1;
/** A class waits at least, and at most, this many times as long as the queue's work takes. */
const LEAST = 0.001;
const MOST = 20;

/**
 * Estimates how long a request will wait for its first step: the work queued before it, at the rate
 * at which the engine does work (the request waiting time of QLM: Patke et al., "Queue Management
 * for SLO-Oriented Large Language Model Serving", SoCC '24, section 5). A policy lets some classes
 * pass others; where it cannot tell what goes before a request, how much of the queue each class waits
 * for is learnt.
 */
export class WaitingTime {
  /** GPU time of everything that waits, ms. */
  #queuedMs = 0;
  readonly #queued = new Map<Request, number>();
  readonly #ratios = new Map<SloClass, number>();
  readonly #errors = new Tally();
  #count = 0;
  #bias = 0;

  /** What a request that is submitted now would wait, ms. `aheadMs`: what the policy knows of it. */
  estimate(slo: SloClass, traffic: Traffic, aheadMs?: number): number {
    const { freeSequences, waiting, stepMs, roomMs } = traffic;
    if (freeSequences > waiting) return stepMs;
    if (aheadMs !== undefined) return stepMs + aheadMs;
    return stepMs + (this.#ratios.get(slo) ?? 1) * (roomMs + this.#queuedMs);
  }

  /** The same for those that wait already, in order of arrival. */
  remaining(
    waiting: readonly Request[],
    { freeSequences, stepMs, roomMs }: Traffic,
    aheadMs: (request: Request) => number | undefined = () => undefined,
  ): Wait[] {
    let beforeMs = roomMs;
    return waiting.map((request, place) => {
      const ratio = this.#ratios.get(request.class) ?? 1;
      const waitMs =
        place < freeSequences ? stepMs : stepMs + (aheadMs(request) ?? ratio * beforeMs);
      beforeMs += this.#queued.get(request) ?? 0;
      return { request, waitMs };
    });
  }

  /**
   * A request is queued: `workMs` of GPU time, behind what the traffic was before it, or in the place
   * that the policy told.
   */
  join(request: Request, workMs: number, traffic: Traffic, aheadMs?: number): void {
    this.#queued.set(request, workMs);
    this.#queuedMs += workMs;
    // A place that is known, or free, teaches nothing of the queue.
    const learns = aheadMs === undefined && traffic.freeSequences <= traffic.waiting;
    request.queuedWorkMs = learns ? traffic.roomMs + this.#queuedMs - workMs : 0;
  }

  /** It was admitted (or ended): the queue is shorter. `admitted`: its wait is something to learn from. */
  leave(request: Request, nowMs: number, admitted: boolean): void {
    const workMs = this.#queued.get(request);
    if (workMs === undefined) return;
    this.#queued.delete(request);
    this.#queuedMs = this.#queued.size === 0 ? 0 : Math.max(0, this.#queuedMs - workMs);
    if (!admitted) return;
    const actual = nowMs - request.arrivalMs;
    const error = request.expectedWaitMs - actual;
    this.#errors.push(Math.abs(error));
    this.#count++;
    this.#bias += error;
    if (request.queuedWorkMs < 1) return;
    const seen = Math.min(MOST, Math.max(LEAST, actual / request.queuedWorkMs));
    const known = this.#ratios.get(request.class);
    this.#ratios.set(request.class, known === undefined ? seen : known + LEARNING * (seen - known));
  }

  snapshot(): WaitingTimeSnapshot {
    if (this.#count === 0) return { count: 0 };
    return {
      count: this.#count,
      p50ErrorMs: this.#errors.quantile(0.5),
      p95ErrorMs: this.#errors.quantile(0.95),
      meanBiasMs: this.#bias / this.#count,
    };
  }
}

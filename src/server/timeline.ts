import { metSlo, type StepRecord } from '../scheduler';
import type { StepTrace } from './server-types';

const KEPT_STEPS = 2048;
/** Over how long the token rate is taken, ms. */
export const RATE_WINDOW_MS = 2000;

/** The last steps, as watchers see them, and how fast tokens come. */
export class Timeline {
  readonly #steps: StepTrace[] = [];
  #arrivals: { atMs: number; tokens: number }[] = [];
  #number = 0;

  /** Number of the latest step; 0 before the first. */
  get latest(): number {
    return this.#number;
  }

  get lastStep(): StepTrace | undefined {
    return this.#steps.at(-1);
  }

  add({ plan, startMs, endMs }: StepRecord, sampledTokens: number): void {
    this.#steps.push({
      number: ++this.#number,
      startMs,
      endMs,
      work: plan.work.map(({ request, tokens }) => ({
        requestId: request.id,
        app: request.app,
        kind: tokens === 1 && request.generated > 1 ? 'decode' : 'prefill',
        tokens,
      })),
      preempted: plan.preempted.map(({ id }) => id),
      finished: plan.work
        .filter(({ request }) => request.end?.kind === 'finished')
        .map(({ request }) => ({ requestId: request.id, met: metSlo(request) })),
    });
    if (this.#steps.length > 2 * KEPT_STEPS) this.#steps.splice(0, KEPT_STEPS);
    this.#arrivals.push({ atMs: endMs, tokens: sampledTokens });
    if (this.#arrivals.length > 2 * KEPT_STEPS) this.#forget(endMs);
  }

  /** Steps after number `seen`, oldest first; the oldest are forgotten after a while. */
  since(seen: number): StepTrace[] {
    const missed = this.#number - seen;
    return missed <= 0 ? [] : this.#steps.slice(-Math.min(missed, KEPT_STEPS));
  }

  /** Output tokens per second over the last two seconds before `nowMs`. */
  tokensPerSecond(nowMs: number): number {
    this.#forget(nowMs);
    const first = this.#arrivals[0];
    if (first === undefined) return 0;
    let tokens = 0;
    for (const arrival of this.#arrivals) tokens += arrival.tokens;
    return (tokens * 1000) / RATE_WINDOW_MS;
  }

  #forget(nowMs: number): void {
    this.#arrivals = this.#arrivals.filter(({ atMs }) => atMs > nowMs - RATE_WINDOW_MS);
  }
}

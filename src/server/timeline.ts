import { type Program, type Request, StepOutputs, type StepRecord, stepTrace } from '../scheduler';
import type { ProgramTrace, StepTrace } from './server-types';

const KEPT_STEPS = 2048;
const KEPT_PROGRAMS = 256;
/** Over how long the token rate is taken, ms. */
export const RATE_WINDOW_MS = 2000;

/** How far a watcher has seen: the number of the latest step and of the latest program's end. */
export interface Seen {
  step: number;
  program: number;
}

export const NOTHING_SEEN: Seen = { step: 0, program: 0 };

/** The last steps and programs, as watchers see them, and how fast tokens come. */
export class Timeline {
  readonly #steps: StepTrace[] = [];
  readonly #programs: ProgramTrace[] = [];
  #programsEnded = 0;
  readonly #outputs = new StepOutputs();
  #arrivals: { atMs: number; tokens: number }[] = [];
  #number = 0;

  get latest(): Seen {
    return { step: this.#number, program: this.#programsEnded };
  }

  get lastStep(): StepTrace | undefined {
    return this.#steps.at(-1);
  }

  /** The step under way gave `request` its next output token. */
  output(request: Request): void {
    this.#outputs.add(request);
  }

  /** The program's owner has its answer. */
  programEnded({ id, app, startMs, deadlineMs }: Program, endMs: number): void {
    this.#programs.push({ id, app, startMs, deadlineMs, endMs });
    if (this.#programs.length > KEPT_PROGRAMS) this.#programs.shift();
    this.#programsEnded++;
  }

  add(step: StepRecord): void {
    const { endMs } = step;
    this.#steps.push(stepTrace(++this.#number, step, this.#outputs));
    if (this.#steps.length > 2 * KEPT_STEPS) this.#steps.splice(0, KEPT_STEPS);
    this.#arrivals.push({ atMs: endMs, tokens: this.#outputs.size });
    this.#outputs.clear();
    if (this.#arrivals.length > 2 * KEPT_STEPS) this.#forget(endMs);
  }

  /** Steps after number `seen`, oldest first; the oldest are forgotten after a while. */
  since({ step }: Seen): StepTrace[] {
    const missed = this.#number - step;
    return missed <= 0 ? [] : this.#steps.slice(-Math.min(missed, KEPT_STEPS));
  }

  /** Programs that ended after those seen, oldest first; the oldest are forgotten after a while. */
  programsSince({ program }: Seen): ProgramTrace[] {
    const missed = this.#programsEnded - program;
    return missed <= 0 ? [] : this.#programs.slice(-Math.min(missed, KEPT_PROGRAMS));
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

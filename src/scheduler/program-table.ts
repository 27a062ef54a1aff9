import type { ProgramSpec } from './call-graph';
import { TempoError } from './errors';
import type { ProgramHistory } from './predict/program-history';
import { Program } from './program';
import { validateDeadline } from './slo';

/** Programs between two calls that are kept at once. */
const MAX_IDLE = 2048;

/** The programs that have not ended, by id; what can be learnt of them goes to the history. */
export class ProgramTable {
  readonly #open = new Map<string, Program>();
  readonly #history: ProgramHistory;

  constructor(history: ProgramHistory) {
    this.#history = history;
  }

  get open(): ReadonlyMap<string, Program> {
    return this.#open;
  }

  /**
   * Throws `invalid_slo`, or `invalid_request` where there is one of that id. `live`: requests that have
   * not ended, of which each program that is under way has one.
   */
  start(spec: ProgramSpec, nowMs: number, live: number): Program {
    validateDeadline(spec.deadlineMs);
    if (this.#open.has(spec.id)) {
      throw new TempoError('invalid_request', `There is a program "${spec.id}" already.`, {
        param: 'program',
      });
    }
    if (this.#open.size - live >= MAX_IDLE) this.#forgetOne(nowMs);
    const program = new Program(spec, nowMs);
    this.#open.set(program.id, program);
    this.#history.expect(program);
    return program;
  }

  end(program: Program, nowMs: number): void {
    this.#close(program, nowMs);
    this.#history.record(program);
  }

  /** The app that has the most programs loses the oldest of them that has no call under way. */
  #forgetOne(nowMs: number): void {
    const idle = [...this.#open.values()].filter(({ stages }) => !stages.at(-1)?.live);
    const counts = new Map<string, number>();
    for (const { app } of idle) counts.set(app, (counts.get(app) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const program = idle.find(({ app }) => counts.get(app) === most);
    if (program === undefined) return;
    this.#close(program, nowMs);
    this.#history.forget(program);
  }

  #close(program: Program, nowMs: number): void {
    program.endMs = nowMs;
    this.#open.delete(program.id);
  }
}

import type { Request } from './request';

export interface ProgramSpec {
  id: string;
  app: string;
  /** What kind of program this is; programs of one kind are matched with one another. */
  kind?: string;
  /** Deadline for the whole, ms from its start. */
  deadlineMs: number;
  /** The lab's ground truth, for the clairvoyant yardstick alone. */
  truth?: ProgramTruth;
}

/** A program's whole graph, as only its author knows it: stages in order, each a set of parallel calls. */
export interface ProgramTruth {
  stages: readonly (readonly { promptTokens: number; outputTokens: number }[])[];
}

/**
 * Calls of a program that ran side by side: a stage of its graph, as far as can be told from outside.
 * A call that arrives while none of its program's runs begins a new one.
 */
export class Wave {
  readonly startMs: number;
  readonly calls: Request[] = [];
  /** Calls that have not ended. */
  live = 0;
  /** When the last call ended, ms; undefined while one runs. */
  endMs: number | undefined;

  constructor(startMs: number) {
    this.startMs = startMs;
  }

  /** The stage label of its first call. */
  get label(): string {
    return this.calls[0].stage;
  }

  get fanOut(): number {
    return this.calls.length;
  }
}

/**
 * A tree or graph of requests with one deadline: the paper's collective request. Its members are
 * known only as they arrive; it ends when its owner says so, or when its last member has failed it.
 */
export class Program {
  readonly id: string;
  readonly app: string;
  readonly kind: string;
  readonly startMs: number;
  readonly deadlineMs: number;
  readonly truth?: ProgramTruth;
  /** In order of arrival. */
  readonly calls: Request[] = [];
  /** The calls as stages, in order. */
  readonly waves: Wave[] = [];
  endMs: number | undefined;

  constructor(spec: ProgramSpec, startMs: number) {
    this.id = spec.id;
    this.app = spec.app;
    this.kind = spec.kind ?? spec.app;
    this.startMs = startMs;
    this.deadlineMs = startMs + spec.deadlineMs;
    this.truth = spec.truth;
  }

  /** A call was submitted. */
  join(call: Request): void {
    this.calls.push(call);
    let wave = this.waves.at(-1);
    if (wave === undefined || wave.live === 0) {
      wave = new Wave(call.arrivalMs);
      this.waves.push(wave);
    }
    wave.calls.push(call);
    wave.live++;
    wave.endMs = undefined;
  }

  /** A call ended, in any way. */
  leave(call: Request): void {
    const wave = this.waves.at(-1);
    if (wave === undefined || call.endMs === undefined) return;
    wave.live--;
    if (wave.live === 0) wave.endMs = call.endMs;
  }

  get ended(): boolean {
    return this.endMs !== undefined;
  }

  /** The objective, ms from the start. */
  get sloMs(): number {
    return this.deadlineMs - this.startMs;
  }
}

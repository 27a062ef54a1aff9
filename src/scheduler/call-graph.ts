import { invariant } from './invariant';

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

/** What the graph has to know of a call. */
export interface Call {
  /** What it is for: a label. */
  readonly stage: string;
  readonly arrivalMs: number;
  readonly endMs: number | undefined;
}

/**
 * Calls of a program that ran side by side, as far as can be told from outside: a call that arrives
 * while none of its program's runs begins a new stage.
 */
export class Stage<Member extends Call> {
  readonly startMs: number;
  readonly calls: Member[] = [];
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
 * A tree or graph of calls with one deadline: the paper's collective request. Its members are
 * known only as they arrive; it ends when its owner says so, or when its last member has failed it.
 */
export class CallGraph<Member extends Call> {
  readonly id: string;
  readonly app: string;
  readonly kind: string;
  readonly startMs: number;
  readonly deadlineMs: number;
  readonly truth?: ProgramTruth;
  /** In order of arrival. */
  readonly calls: Member[] = [];
  /** The calls as stages, in order. */
  readonly stages: Stage<Member>[] = [];
  endMs: number | undefined;

  constructor(spec: ProgramSpec, startMs: number) {
    invariant(spec.deadlineMs > 0, `the program ${spec.id} has no time`);
    this.id = spec.id;
    this.app = spec.app;
    this.kind = spec.kind ?? spec.app;
    this.startMs = startMs;
    this.deadlineMs = startMs + spec.deadlineMs;
    this.truth = spec.truth;
  }

  /** A call was submitted. */
  join(call: Member): void {
    this.calls.push(call);
    let stage = this.stages.at(-1);
    if (stage === undefined || stage.live === 0) {
      stage = new Stage(call.arrivalMs);
      this.stages.push(stage);
    }
    stage.calls.push(call);
    stage.live++;
    stage.endMs = undefined;
  }

  /** A call ended, in any way. */
  leave(call: Member): void {
    const stage = this.stages.at(-1);
    if (stage === undefined || call.endMs === undefined) return;
    stage.live--;
    if (stage.live === 0) stage.endMs = call.endMs;
  }

  get ended(): boolean {
    return this.endMs !== undefined;
  }

  /** The objective, ms from the start. */
  get sloMs(): number {
    return this.deadlineMs - this.startMs;
  }
}

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
  endMs: number | undefined;

  constructor(spec: ProgramSpec, startMs: number) {
    this.id = spec.id;
    this.app = spec.app;
    this.kind = spec.kind ?? spec.app;
    this.startMs = startMs;
    this.deadlineMs = startMs + spec.deadlineMs;
    this.truth = spec.truth;
  }

  get ended(): boolean {
    return this.endMs !== undefined;
  }

  /** The objective, ms from the start. */
  get sloMs(): number {
    return this.deadlineMs - this.startMs;
  }
}

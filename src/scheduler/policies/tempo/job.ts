import type { Program } from '../../program';
import type { Request } from '../../request';
import type { Appraisal } from './appraise/prospect';

/** What is admitted or not, as a whole: a request, or a program with all its calls. */
export class Job {
  readonly program: Program | undefined;
  /** Live calls; one for a request on its own. */
  readonly calls: Request[] = [];
  readonly app: string;
  readonly bestEffort: boolean;
  /** Order of the first call's arrival. */
  readonly order: number;
  /** The last. */
  appraisal!: Appraisal;
  /** Something happened to it since. */
  moved = true;

  constructor(request: Request) {
    this.program = request.slo.class === 'program' ? request.program : undefined;
    this.app = request.app;
    this.bestEffort = request.slo.class === 'best-effort';
    this.order = request.order;
  }

  /** Whether something was already spent on it, which would be lost with it. */
  get started(): boolean {
    if (this.program !== undefined && this.program.stages.length > 1) return true;
    return this.calls.some((call) => call.computed > 0 || call.generated > 0);
  }

  /** Whether any of its calls holds pages. */
  get resident(): boolean {
    return this.calls.some((call) => call.resident);
  }

  /** When the first of what it has to do is due, ms: a stream's prompt, or all of it. */
  get firstDueMs(): number {
    const { headMs, headDueMs, toMs } = this.appraisal.demand;
    return headMs > 0 ? headDueMs : toMs;
  }

  /** GPU time of that, ms. */
  get firstMs(): number {
    const { demand, costMs } = this.appraisal;
    return demand.headMs > 0 ? demand.headMs : costMs;
  }

  /** Pages that its live calls will have filled when they end. */
  pages(pageSize: number): number {
    const tokens = this.appraisal.tokens / this.calls.length;
    let sum = 0;
    for (const call of this.calls) sum += Math.ceil((call.knownTokens + tokens) / pageSize);
    return sum;
  }
}

/** Highest rank first. Signs, not differences: a fraction returned would be an object to collect. */
export function byRank(a: Job, b: Job): number {
  if (a.appraisal.rank !== b.appraisal.rank) return a.appraisal.rank > b.appraisal.rank ? -1 : 1;
  return a.order - b.order;
}

import type { PlanBuilder } from '../../plan';
import type { Reason } from '../../request';
import type { SchedulerView } from '../../view';
import type { Circumstances } from './appraise';
import type { DemandBound } from './demand-bound';
import type { Job } from './job';

/** Who is promised service, and what is left. */
export interface Admission {
  /** Jobs whose promises can all be kept. */
  readonly promised: ReadonlySet<Job>;
  /** Some job was turned away for lack of capacity. */
  readonly refused: boolean;
  /** Pages that the promised will not need. */
  readonly freePages: number;
}

/**
 * Promises service to jobs, in the order given, as long as all promises can be kept: the work that
 * is due by every horizon fits into the time until then, and what they will fill fits into the pages.
 */
export function admit(
  jobs: Iterable<Job>,
  bound: DemandBound,
  { capacity }: SchedulerView,
  builder: PlanBuilder,
  { tuning, without }: Circumstances,
): Admission {
  const promised = new Set<Job>();
  let freePages = capacity.totalPages;
  let refused = false;
  for (const job of jobs) {
    if (job.bestEffort) continue;
    const { appraisal } = job;
    const { demand, density, tokens } = appraisal;
    const pages = job.pages(capacity.pageSize);
    let why: Reason = 'not-admitted';
    if (appraisal.chance < tuning.hopeless) {
      why = 'hopeless';
    } else if (!bound.fits(demand) && !without.has('admission')) {
      // A late stream is never promised anything by then; it does not mean that others were.
      refused ||= !appraisal.late;
    } else if (pages <= freePages || promised.size === 0) {
      bound.take(demand);
      promised.add(job);
      freePages -= pages;
      continue;
    }
    if (job.resident) continue;
    const numbers = { density, remainingTokens: Math.round(tokens) };
    for (const call of job.calls) builder.skip(call, why, numbers);
  }
  return { promised, refused, freePages };
}

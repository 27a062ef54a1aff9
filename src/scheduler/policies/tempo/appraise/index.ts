/** What a job would earn, what that takes, and by when: one file a kind. */
import { weightedTokens } from '../../../gain';
import { gpuTime } from '../../../predict/pace';
import type { Job } from '../job';
import type { Appraisal, Circumstances, Prospect } from './prospect';
import { ofStream } from './stream';
import { ofWhole } from './whole';

export type { Circumstances, Demand } from './prospect';

export function appraise(job: Job, on: Circumstances): Appraisal {
  // Field by field, one shape: this runs for dozens of jobs a plan.
  const { value, costMs, chance, late, tokens, futureMs, demand } = prospectOf(job, on);
  const density = value / Math.max(costMs, 1e-3);
  const rank = job.started ? density * on.tuning.commitment : density;
  // What is far from due changes slowly.
  const steadyMs = (demand.toMs - on.now) / 64;
  const validMs = on.now + Math.max(on.tuning.slackSteps * on.pace.tokenMs, steadyMs);
  return { validMs, value, costMs, chance, late, tokens, futureMs, demand, density, rank };
}

function prospectOf(job: Job, on: Circumstances): Prospect {
  const [request] = job.calls;
  switch (request.slo.class) {
    case 'latency':
      return ofStream(request, request.slo, on);
    case 'best-effort':
      return ofBackground(job, on);
    default:
      return ofWhole(job, request.deadlineMs, on);
  }
}

/** Best-effort work: nothing is due. */
function ofBackground(
  { calls: [request] }: Job,
  { knowledge, gain, pace }: Circumstances,
): Prospect {
  const tokens = knowledge.mean(request);
  const value = weightedTokens(request, tokens, gain);
  const never = Number.POSITIVE_INFINITY;
  const demand = { fromMs: never, toMs: never, workMs: 0, headMs: 0, headDueMs: 0 };
  const costMs = gpuTime(request, tokens, pace);
  return { value, costMs, chance: 1, late: false, tokens, futureMs: 0, demand };
}

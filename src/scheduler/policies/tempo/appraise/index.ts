/** What a job would earn, what that takes, and by when: one file a class. */
import type { Job } from '../job';
import { ofAnswer } from './answer';
import { ofBackground } from './background';
import { ofProgram } from './program';
import type { Appraisal, Circumstances, Prospect } from './prospect';
import { ofStream } from './stream';

export type { Circumstances, Demand } from './prospect';

export function appraise(job: Job, on: Circumstances): Appraisal {
  const prospect = prospectOf(job, on);
  // Field by field, one shape: this runs for hundreds of jobs a plan.
  const { value, costMs, chance, late, tokens, futureMs, demand } = prospect;
  const density = value / Math.max(costMs, 1e-3);
  const rank = job.started ? density * on.tuning.commitment : density;
  const steps = on.tuning.slackSteps * on.pace.tokenMs;
  const validMs = on.now + Math.max(steps, job.resident ? 0 : (demand.toMs - on.now) / 64);
  return { validMs, value, costMs, chance, late, tokens, futureMs, demand, density, rank };
}

function prospectOf(job: Job, on: Circumstances): Prospect {
  if (job.program !== undefined) return ofProgram(job.program, job.calls, on);
  const [request] = job.calls;
  switch (request.slo.class) {
    case 'latency':
      return ofStream(request, request.slo, on);
    case 'deadline':
      return ofAnswer(request, request.slo.ttlt, on);
    default:
      return ofBackground(request, on);
  }
}

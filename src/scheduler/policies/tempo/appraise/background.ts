import { weightedTokens } from '../../../gain';
import { gpuTime } from '../../../predict/pace';
import type { Request } from '../../../request';
import type { Circumstances, Demand, Prospect } from './prospect';

const WHENEVER: Demand = {
  fromMs: Number.POSITIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  workMs: 0,
  headMs: 0,
  headDueMs: 0,
};

/** Best-effort work: nothing is due. */
export function ofBackground(request: Request, on: Circumstances): Prospect {
  const tokens = on.knowledge.mean(request);
  return {
    value: weightedTokens(request, tokens, on.gain),
    costMs: gpuTime(request, tokens, on.pace),
    chance: 1,
    late: false,
    tokens,
    futureMs: 0,
    demand: WHENEVER,
  };
}

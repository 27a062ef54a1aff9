import { decay, weightedTokens } from '../../../gain';
import { gpuTime, prefillTime } from '../../../predict/pace';
import type { Request } from '../../../request';
import type { Circumstances, Prospect } from './prospect';

/** An answer with a deadline: it counts when it is complete. */
export function ofAnswer(
  request: Request,
  ttlt: number,
  { now, pace, gain, knowledge, tuning }: Circumstances,
): Prospect {
  const dueMs = request.arrivalMs + ttlt;
  const prefillMs = prefillTime(request, pace);
  const possible = Math.floor((dueMs - now - prefillMs) / pace.bestMs);
  const chance = possible < 1 ? 0 : knowledge.chance(request, possible);
  const mean = knowledge.mean(request);
  // Nobody goes on for long with one that turns out too long to be in time.
  const tokens = knowledge.meanWithin(request, Math.max(1, possible));
  const full = weightedTokens(request, request.generated + tokens, gain);
  const endMs = now + prefillMs + Math.max(mean, possible) * pace.tokenMs - request.arrivalMs;
  const value = full * (chance + (1 - chance) * decay(ttlt, Math.max(ttlt, endMs), gain.alpha));
  const costMs = gpuTime(request, tokens, pace);
  const neededMs = prefillMs + tokens * pace.tokenMs;
  const fromMs = dueMs - tuning.stretch * neededMs;
  return {
    value,
    costMs,
    chance,
    late: false,
    tokens: mean,
    futureMs: 0,
    demand: { fromMs, toMs: dueMs, workMs: costMs, headMs: 0, headDueMs: 0 },
  };
}

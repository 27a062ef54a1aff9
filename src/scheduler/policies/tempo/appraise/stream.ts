import { decay } from '../../../gain';
import { gpuTime, pendingPrompt, prefillTime } from '../../../predict/pace';
import type { Request } from '../../../request';
import type { LatencySlo } from '../../../slo';
import type { Circumstances, Prospect } from './prospect';

/** A stream: every token counts, if it is on time. */
export function ofStream(request: Request, slo: LatencySlo, on: Circumstances): Prospect {
  const { now, pace, gain, knowledge, tuning, without } = on;
  const mean = knowledge.mean(request);
  const prefillMs = prefillTime(request, pace);
  const dueMs = request.tokenDueMs(request.generated);
  const firstMs = now + prefillMs + pace.tokenMs;
  // One that is behind catches up by tbt − bestMs a token; what comes until then is late.
  const behindMs = firstMs - dueMs;
  const late = behindMs > 0;
  const gainedMs = Math.max(0, slo.tbt - pace.bestMs);
  const lateTokens = late ? knowledge.meanWithin(request, Math.ceil(behindMs / gainedMs)) : 0;
  const onTime = Math.max(0, mean - lateTokens);
  const softness = late
    ? decay(Math.max(1, dueMs - request.arrivalMs), firstMs - request.arrivalMs, gain.alpha)
    : 1;
  const prompt = request.generated === 0 ? gain.inputWeight * request.promptTokens : 0;
  const value = gain.outputWeight * (onTime + softness * lateTokens) + softness * prompt;
  const costMs = gpuTime(request, mean, pace);
  // A prompt's steps are not full: it is set aside for with a margin, and whole by the time it is
  // due, or as soon as can be where that only just can be in time.
  const arithmeticMs = pendingPrompt(request) * pace.prefillMs;
  const headMs = tuning.headroom * arithmeticMs;
  const headDueMs = Math.max(now, dueMs, late ? now : now + headMs);
  const paceMs = without.has('just-enough') ? pace.tokenMs : Math.max(slo.tbt, pace.tokenMs);
  return {
    value,
    costMs,
    chance: value / Math.max(1, gain.outputWeight * mean + prompt),
    late,
    tokens: mean,
    futureMs: 0,
    demand: {
      fromMs: headDueMs - prefillMs,
      toMs: headDueMs + Math.max(1, mean) * paceMs,
      workMs: headMs + costMs - arithmeticMs,
      headMs,
      headDueMs,
    },
  };
}

import type { Program } from './program';
import type { Request } from './request';

/**
 * Service gain, counted as the paper's artifact counts it (arXiv 2504.20068, section 3; JITServe
 * artifact), so that figures compare.
 */
export interface GainConfig {
  /** A prompt token's weight. */
  inputWeight: number;
  /** An output token's weight. */
  outputWeight: number;
  /** How hard an objective is: a late answer's gain is multiplied by (SLO/actual)^alpha. */
  alpha: number;
  /** What best-effort tokens are worth beside the rest's, 0 to 1: they soak up what is left. */
  bestEffortWeight: number;
}

export const DEFAULT_GAIN: GainConfig = {
  inputWeight: 1,
  outputWeight: 8,
  alpha: 100,
  bestEffortWeight: 0.1,
};

/** The share of gain left when `actualMs` was taken for an objective of `sloMs`: 1 in time, then decaying. */
export function decay(sloMs: number, actualMs: number, alpha: number): number {
  return actualMs <= sloMs ? 1 : (sloMs / actualMs) ** alpha;
}

/** Weighted tokens of a request: all that it could ever earn for them. */
export function weightedTokens(request: Request, outputTokens: number, gain: GainConfig): number {
  const scale = request.class === 'best-effort' ? gain.bestEffortWeight : 1;
  return scale * (gain.inputWeight * request.promptTokens + gain.outputWeight * outputTokens);
}

/** Gain of the output token just produced (index `request.generated - 1`), with the prompt's on the first. */
export function tokenGain(request: Request, nowMs: number, gain: GainConfig): number {
  switch (request.slo.class) {
    case 'latency': {
      const index = request.generated - 1;
      const since = nowMs - request.arrivalMs;
      const due = request.slo.ttft + index * request.slo.tbt;
      let earned = gain.outputWeight * decay(due, since, gain.alpha);
      if (index === 0) {
        earned +=
          gain.inputWeight * request.promptTokens * decay(request.slo.ttft, since, gain.alpha);
      }
      return earned;
    }
    case 'best-effort': {
      const prompt = request.generated === 1 ? gain.inputWeight * request.promptTokens : 0;
      return gain.bestEffortWeight * (prompt + gain.outputWeight);
    }
    default:
      return 0;
  }
}

/** Gain of a request's completion: a deadline request's whole, all or (decayed) nothing. */
export function completionGain(request: Request, nowMs: number, gain: GainConfig): number {
  if (request.slo.class !== 'deadline') return 0;
  const full = weightedTokens(request, request.generated, gain);
  return full * decay(request.slo.ttlt, nowMs - request.arrivalMs, gain.alpha);
}

/** Gain of a program's completion: all its finished calls' tokens, decayed together. */
export function programGain(program: Program, nowMs: number, gain: GainConfig): number {
  let full = 0;
  for (const call of program.calls) {
    if (call.end?.kind === 'finished') full += weightedTokens(call, call.generated, gain);
  }
  return full * decay(program.sloMs, nowMs - program.startMs, gain.alpha);
}

/** Whether a finished request met its objective. A stream did if its first token and 95% of all its tokens were on time. */
export function metSlo(request: Request): boolean {
  if (request.end?.kind !== 'finished' || request.endMs === undefined) return false;
  switch (request.slo.class) {
    case 'latency':
      return (
        request.firstTokenMs !== undefined &&
        request.firstTokenMs <= request.tokenDueMs(0) &&
        request.onTimeTokens >= 0.95 * request.generated
      );
    case 'deadline':
    case 'program':
      return request.endMs <= request.deadlineMs;
    case 'best-effort':
      return true;
  }
}

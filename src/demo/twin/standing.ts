import type { PolicyName } from '../../client';
import type { Fate, Fates } from './fates';

/** How a policy does of late, by its replay. */
export interface Standing {
  policy: PolicyName;
  /** Of the requests with an objective that arrived in the window, those whose fate is known. */
  judged: number;
  /** Of these, in time. */
  met: number;
  /** Background tokens per second. */
  background: number;
}

interface Runner {
  policy: PolicyName;
  nowMs: number;
  fates: Fates;
}

/** What a policy's replay came to since then, ms. */
export function standingOf({ policy, nowMs, fates }: Runner, sinceMs: number): Standing {
  const judged = fates.all.filter((fate) => fate.arrivalMs >= sinceMs && isJudged(fate));
  return {
    policy,
    judged: judged.length,
    met: judged.filter(({ met }) => met).length,
    background: fates.backgroundPerSecond(sinceMs, nowMs),
  };
}

/** It has an objective, and one knows whether it was in time. */
export function isJudged({ met }: Fate): boolean {
  return met !== undefined;
}

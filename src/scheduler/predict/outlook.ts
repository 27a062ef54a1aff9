import type { Pace } from './pace';
import type { Future } from './program-history';

/** What may come of a program, at one pace. */
export interface Outlook {
  readonly tokenMs: number;
  readonly futures: readonly TimedFuture[];
  /** Means: tokens still to come, and the GPU time that they take, ms. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly costMs: number;
}

interface TimedFuture {
  readonly weight: number;
  /** How long its critical path takes, ms. */
  readonly afterMs: number;
  /** GPU time that all of it takes, ms. */
  readonly costMs: number;
}

/** An outlook is good while the pace changes by less than this. */
const SAME_PACE = 0.01;

const kept = new WeakMap<readonly Future[], Outlook>();

/** Made anew when the futures are others or the pace has changed: there are many of them, and they are asked for all the time. */
export function outlookOf(futures: readonly Future[], pace: Pace): Outlook {
  const before = kept.get(futures);
  if (before && Math.abs(before.tokenMs - pace.tokenMs) < SAME_PACE * pace.tokenMs) return before;
  const mean = { promptTokens: 0, outputTokens: 0, costMs: 0 };
  const timed = futures.map((future) => {
    const costMs = futureCost(future, pace);
    mean.promptTokens += future.weight * future.promptTokens;
    mean.outputTokens += future.weight * future.outputTokens;
    mean.costMs += future.weight * costMs;
    return { weight: future.weight, afterMs: futureTime(future, pace), costMs };
  });
  const outlook = { tokenMs: pace.tokenMs, futures: timed, ...mean };
  kept.set(futures, outlook);
  return outlook;
}

function futureTime(future: Future, pace: Pace): number {
  return (
    future.longestTokens * pace.tokenMs +
    future.longestPromptTokens * pace.prefillMs +
    future.stages * pace.baseMs +
    future.gapMs
  );
}

function futureCost(future: Future, pace: Pace): number {
  const context =
    future.calls > 0 ? (future.promptTokens + future.outputTokens / 2) / future.calls : 0;
  return (
    future.freshTokens * pace.prefillMs +
    future.outputTokens * (pace.decodeMs + pace.contextMs * context)
  );
}

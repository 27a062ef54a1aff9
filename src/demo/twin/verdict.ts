import type { PolicyName } from '../../client';
import type { Fate, Fates } from './fates';
import { isJudged } from './standing';

/** One request, or program, and what became of it under either policy. */
export interface Pair {
  id: string;
  app: string;
  arrivalMs: number;
  a: Fate;
  b: Fate;
}

/** What the timelines show, in numbers: the same requests on both sides. */
export interface Verdict {
  a: PolicyName;
  b: PolicyName;
  /** How far back the numbers look, ms: 30 s, or as far as there is something to compare. */
  spanMs: number;
  /** Requests, and programs, whose fate is known under both. */
  judged: number;
  /** Of these, in time under A and under B. */
  met: { a: number; b: number };
  byApp: Readonly<Record<string, { judged: number; a: number; b: number }>>;
  /** Background tokens per second. */
  background: { a: number; b: number };
}

/** How far back the numbers look, ms. */
export const SPAN_MS = 30_000;
/** Rates say nothing of a shorter time, ms. */
const RATE_JUDGED_MS = 5000;
/** Rates that differ by less are the same. */
const SAME_RATE = 0.05;
/** So slow a background is none to compare, tokens per second. */
const LEAST_RATE = 2;

/** Those that arrived since then, ms, and whose fate is known on both sides. */
export function pairsOf(a: Fates, b: Fates, sinceMs: number): Pair[] {
  const pairs: Pair[] = [];
  for (const fate of a.all) {
    if (fate.arrivalMs < sinceMs || !isJudged(fate)) continue;
    const other = b.get(fate.id);
    if (other === undefined || !isJudged(other)) continue;
    const { id, app, arrivalMs } = fate;
    pairs.push({ id, app, arrivalMs, a: fate, b: other });
  }
  return pairs;
}

interface Sides {
  a: { policy: PolicyName; fates: Fates };
  b: { policy: PolicyName; fates: Fates };
  /** From here to there, ms. */
  sinceMs: number;
  nowMs: number;
}

export function verdictOf({ a, b, sinceMs, nowMs }: Sides): Verdict {
  const pairs = pairsOf(a.fates, b.fates, sinceMs);
  const byApp: Record<string, { judged: number; a: number; b: number }> = {};
  const met = { a: 0, b: 0 };
  for (const pair of pairs) {
    byApp[pair.app] ??= { judged: 0, a: 0, b: 0 };
    const app = byApp[pair.app];
    app.judged++;
    for (const side of ['a', 'b'] as const) {
      if (!pair[side].met) continue;
      app[side]++;
      met[side]++;
    }
  }
  return {
    a: a.policy,
    b: b.policy,
    spanMs: Math.max(0, nowMs - sinceMs),
    judged: pairs.length,
    met,
    byApp,
    background: {
      a: a.fates.backgroundPerSecond(sinceMs, nowMs),
      b: b.fates.backgroundPerSecond(sinceMs, nowMs),
    },
  };
}

/** The verdict in words: `Last 30 s, 41 requests: tempo 40 in time, sarathi 27. Cost: summaries 12% slower.` */
export function verdictWords(verdict: Verdict): string {
  const { a, b, judged, met, spanMs } = verdict;
  if (judged === 0) return 'No request has come to its end in both timelines yet.';
  const span = `Last ${Math.round(spanMs / 1000)} s`;
  const count = `${judged} ${judged === 1 ? 'request' : 'requests'}`;
  const background = backgroundOf(verdict);
  if (a === b) {
    return `${span}, ${count}: ${a} above ${met.a} in time, ${a} below ${met.b}. The rule is the same; choose another for B.`;
  }
  const numbers = `${span}, ${count}: ${a} ${met.a} in time, ${b} ${met.b}.`;
  if (met.a === met.b && background === 'same') {
    return met.a === judged
      ? `${numbers} Nothing differs: there is room for everybody.`
      : `${numbers} Nothing differs.`;
  }
  return [numbers, met.a < met.b ? `${a} loses.` : '', price(verdict, background)]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

/** The background under A beside that under B: how much slower (below 0) or faster, as a share of B's. */
function backgroundOf({ background: { a, b }, spanMs }: Verdict): number | 'same' {
  if (spanMs < RATE_JUDGED_MS || Math.max(a, b) < LEAST_RATE) return 'same';
  const faster = a / b - 1;
  return Math.abs(faster) < SAME_RATE ? 'same' : faster;
}

function price({ met, b, background }: Verdict, faster: number | 'same'): string {
  if (faster === 'same') return '';
  if (background.b < LEAST_RATE) return `Summaries go on; under ${b} they stand still.`;
  const percent = `${Math.round(Math.abs(faster) * 100)}%`;
  if (faster > 0) return `${met.a < met.b ? 'But summaries' : 'Summaries'} are ${percent} faster.`;
  const slower = background.a < LEAST_RATE ? 'stand still' : `${percent} slower`;
  if (met.a > met.b) return `Cost: summaries ${slower}.`;
  return background.a < LEAST_RATE ? 'Summaries stand still.' : `Summaries are ${slower}.`;
}

import { type Random, seededRandom } from '../scheduler';
import {
  drawNormal,
  drawNormalLike,
  normalBelow,
  type Quantiles,
  quantileAt,
} from './distribution';
import { firstTokens, type Passage } from './passage';
import { type TraceOptions, workloadOfTrace } from './trace-workload';
import type { TraceProgram, TraceRow } from './traces';
import type { Workload } from './workload';

const AT = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];

/** Model calls of a turn. */
const ROUNDS: Quantiles = {
  at: [0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
  values: [2, 2, 3, 4, 5, 6, 8, 10, 15, 19, 24, 24],
};

/** Tokens of the first prompt. */
const FIRST: Quantiles = {
  at: AT,
  values: [
    738, 963, 1725, 2756, 4071, 4891, 5740, 6610, 7330, 7925, 8459, 9281, 11147, 14308, 15091,
  ],
};

/** New tokens of a later prompt. */
const MORE: Quantiles = {
  at: [...AT.slice(0, -1), 0.9974, 1],
  values: [7, 10, 13, 16, 23, 30, 38, 50, 65, 90, 126, 208, 316, 842, 1500, 9191],
};

/** Tokens of an answer. */
const OUTPUT: Quantiles = {
  at: AT,
  values: [19, 59, 103, 115, 139, 166, 202, 249, 308, 407, 563, 965, 1614, 3643, 8810],
};

/** What the tools take between two calls, ms. */
const TOOLS: Quantiles = {
  at: AT,
  values: [
    500, 2730, 4080, 4710, 5830, 7049, 8540, 10110, 12460, 16000, 22000, 41000, 64650, 99500,
    119810,
  ],
};

/** Correlation of the answers' lengths of one turn, and of an answer's length with that of what is found for it. */
const WITHIN_A_TURN = 0.23;
const ANSWER_AND_FINDINGS = 0.38;
/** Share of later prompts that are written anew but for their first tokens (what was said is summed up, or left out). */
const REWRITTEN = 0.0075;
const NEVER_REWRITTEN_TOKENS = 948;
/** What is cached is counted in so many tokens (64 of the recording, divided by 16). */
const CACHED_TOKENS = 4;

/**
 * Turns of a coding agent, each a program: model calls with tools between them until it is done, each over all
 * that was said and found before. Fitted to 1,200 turns of recorded Claude Code sessions
 * (callanjfox/kv-cache-tester, Apache-2.0; prompts divided by 16, so that they fit small context windows;
 * outputs as recorded). Arrivals are Poisson (or `pattern`); objectives are given as a trace's are.
 */
export function agentWorkload(options: TraceOptions): Workload {
  const random = seededRandom(options.seed);
  const programs = agentTurns(options.requests, random);
  return workloadOfTrace({ kind: 'programs', programs }, 'agents', options, random);
}

/** Turns of `calls` calls in all, or a few more. */
export function agentTurns(calls: number, random: Random): TraceProgram[] {
  const programs: TraceProgram[] = [];
  let next = 0;
  for (let left = calls; left > 0; left -= programs.at(-1)?.length ?? left) {
    const turn = agentTurn(next, random);
    for (const row of turn) next = Math.max(next, ...row.prefix.map((p) => p.from + p.tokens));
    programs.push(turn.map((row) => [row]));
  }
  return programs;
}

/** A turn whose text's tokens are numbered from `from` on. */
function agentTurn(from: number, random: Random): (TraceRow & { prefix: Passage[] })[] {
  const rounds = quantileAt(ROUNDS, random());
  const turnZ = drawNormal(random);
  let next = from;
  let prefix: Passage[] = [];
  let promptTokens = 0;
  let answerZ = 0;
  return Array.from({ length: rounds }, (_, round) => {
    const rewritten = round > 0 && random() < REWRITTEN;
    const kept = rewritten
      ? Math.min(promptTokens, NEVER_REWRITTEN_TOKENS)
      : promptTokens - (promptTokens % CACHED_TOKENS);
    const found = quantileAt(
      round === 0 ? FIRST : MORE,
      normalBelow(drawNormalLike(answerZ, round === 0 ? 0 : ANSWER_AND_FINDINGS, random)),
    );
    const newTokens = found + (rewritten ? promptTokens - kept : 0);
    prefix = [...firstTokens(prefix, kept), { from: next, tokens: newTokens }];
    next += newTokens;
    promptTokens = kept + newTokens;
    answerZ = drawNormalLike(turnZ, Math.sqrt(WITHIN_A_TURN), random);
    const outputTokens = quantileAt(OUTPUT, normalBelow(answerZ));
    const toolWaitMs = round === rounds - 1 ? 0 : quantileAt(TOOLS, random());
    return { stage: 'round', promptTokens, outputTokens, prefix, toolWaitMs };
  });
}

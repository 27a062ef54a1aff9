import type { Program } from '../program';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import { type Future, NO_FUTURE } from './program-history';

/** What a policy believes of the lengths and graphs to come. All counts are tokens. */
export interface Knowledge {
  /** Mean of the remaining output. */
  mean(request: Request): number;
  /** Mean of min(remaining output, tokens). */
  meanWithin(request: Request, tokens: number): number;
  /** Probability that at most `tokens` are still to come. */
  chance(request: Request, tokens: number): number;
  /**
   * What may come after the program's current stage, least work first; weights sum to 1. `tokenMs`: how
   * long a token takes now.
   */
  futures(program: Program, tokenMs: number): readonly Future[];
}

/** What is taken from a policy's knowledge, to see what it was worth. */
export interface Ignorance {
  /** Every answer is taken to run to its max_tokens. */
  readonly lengths?: boolean;
  /** A program's current stage is taken to be its last. */
  readonly graphs?: boolean;
}

const NOTHING_MORE = [NO_FUTURE];

/** From history. */
export function predicted(view: SchedulerView, without: Ignorance = {}): Knowledge {
  const { lengths, graphs } = view;
  const futures: Knowledge['futures'] = without.graphs
    ? () => NOTHING_MORE
    : (program, tokenMs) => graphs.futures(program, tokenMs);
  if (without.lengths) return { ...unpredicted, futures };
  return {
    mean: (request) => lengths.expected(request),
    meanWithin: (request, tokens) => lengths.expectedWithin(request, tokens),
    chance: (request, tokens) => lengths.chance(request, tokens),
    futures,
  };
}

/**
 * The truth, where the lab has told it; for the clairvoyant yardstick alone. Of what it is without it
 * knows no more than history tells, so that the rest shows its worth.
 */
export function clairvoyant(view: SchedulerView, without: Ignorance = {}): Knowledge {
  const guess = predicted(view);
  const left = (request: Request) =>
    without.lengths || request.truth === undefined
      ? undefined
      : Math.max(1, Math.min(request.maxTokens, request.truth.outputTokens) - request.generated);
  const graphs = new WeakMap<Program, readonly Future[]>();
  const at = new WeakMap<Program, number>();
  return {
    mean: (request) => left(request) ?? guess.mean(request),
    meanWithin: (request, tokens) => {
      const known = left(request);
      return known === undefined ? guess.meanWithin(request, tokens) : Math.min(known, tokens);
    },
    chance: (request, tokens) => {
      const known = left(request);
      return known === undefined ? guess.chance(request, tokens) : known <= tokens ? 1 : 0;
    },
    futures: (program, tokenMs) => {
      if (without.graphs || program.truth === undefined) {
        return guess.futures(program, tokenMs);
      }
      let futures = graphs.get(program);
      if (futures === undefined || at.get(program) !== program.stages.length) {
        const stages = program.truth.stages.slice(program.stages.length);
        futures = [trueFuture(stages, freshShare(guess.futures(program, tokenMs)))];
        graphs.set(program, futures);
        at.set(program, program.stages.length);
      }
      return futures;
    },
  };
}

const unpredicted: Omit<Knowledge, 'futures'> = {
  mean: (request) => Math.max(1, request.remainingMax),
  meanWithin: (request, tokens) => Math.min(tokens, Math.max(1, request.remainingMax)),
  chance: (request, tokens) => (tokens >= request.remainingMax ? 1 : 0.5),
};

/** Share of the prompt tokens to come that no cached prefix covers: history tells that, the truth does not. */
function freshShare(futures: readonly Future[]): number {
  let fresh = 0;
  let all = 0;
  for (const { weight, freshTokens, promptTokens } of futures) {
    fresh += weight * freshTokens;
    all += weight * promptTokens;
  }
  return all > 0 ? fresh / all : 1;
}

function trueFuture(
  stages: readonly (readonly { promptTokens: number; outputTokens: number }[])[],
  fresh: number,
): Future {
  const future = { ...NO_FUTURE, stages: stages.length };
  for (const stage of stages) {
    let longest = 0;
    let longestPrompt = 0;
    for (const { promptTokens, outputTokens } of stage) {
      future.calls++;
      future.promptTokens += promptTokens;
      future.outputTokens += outputTokens;
      longest = Math.max(longest, outputTokens);
      longestPrompt = Math.max(longestPrompt, promptTokens);
    }
    future.longestTokens += longest;
    future.longestPromptTokens += fresh * longestPrompt;
  }
  future.freshTokens = fresh * future.promptTokens;
  return future;
}

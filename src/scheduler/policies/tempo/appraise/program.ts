import { decay, weightedTokens } from '../../../gain';
import { outlookOf } from '../../../predict/outlook';
import { gpuTime, prefillTime } from '../../../predict/pace';
import type { Program } from '../../../program';
import type { Request } from '../../../request';
import type { Circumstances, Prospect } from './prospect';

/** A program: all of its calls count, those that run and those to come, if the last ends in time. */
export function ofProgram(
  program: Program,
  calls: readonly Request[],
  on: Circumstances,
): Prospect {
  const { now, pace, gain, knowledge, tuning } = on;
  let stageMs = 0;
  let tokens = 0;
  let costMs = 0;
  let weight = 0;
  for (const call of program.calls) {
    if (call.ended) {
      if (call.end?.kind === 'finished') weight += weightedTokens(call, call.generated, gain);
      continue;
    }
    const mean = knowledge.mean(call);
    tokens += mean;
    costMs += gpuTime(call, mean, pace);
    weight += weightedTokens(call, call.generated + mean, gain);
    stageMs = Math.max(stageMs, prefillTime(call, pace) + mean * pace.tokenMs);
  }
  // Means over its futures say what it earns and takes. What is set aside is an upper bound: programs
  // are all or nothing, and one that turns out longer than was thought loses everything.
  const leftMs = program.deadlineMs - now;
  const outlook = outlookOf(knowledge.futures(program, pace.tokenMs), pace);
  weight += gain.inputWeight * outlook.promptTokens + gain.outputWeight * outlook.outputTokens;
  let reservedMs = 0;
  let futureMs = 0;
  let chance = 0;
  let likely = 0;
  for (const future of outlook.futures) {
    chance += future.weight * stageChance(calls, leftMs - future.afterMs, on);
    if (likely >= tuning.futureQuantile) continue;
    likely += future.weight;
    reservedMs = Math.max(reservedMs, future.costMs);
    futureMs = Math.max(futureMs, future.afterMs);
  }
  const neededMs = stageMs + futureMs;
  const endMs = program.sloMs - leftMs + Math.max(neededMs, leftMs);
  const decayed = decay(program.sloMs, Math.max(program.sloMs, endMs), gain.alpha);
  const value = weight * (chance + (1 - chance) * decayed);
  return {
    value,
    costMs: costMs + outlook.costMs,
    chance,
    late: false,
    tokens,
    futureMs,
    demand: {
      fromMs: program.deadlineMs - tuning.stretch * neededMs,
      toMs: program.deadlineMs,
      workMs: costMs + reservedMs,
      headMs: 0,
      headDueMs: 0,
    },
  };
}

/** Probability that all live calls end within `leftMs`. */
function stageChance(
  calls: readonly Request[],
  leftMs: number,
  { pace, knowledge }: Circumstances,
): number {
  let chance = 1;
  for (const call of calls) {
    const possible = Math.floor((leftMs - prefillTime(call, pace)) / pace.bestMs);
    chance *= possible < 1 ? 0 : knowledge.chance(call, possible);
  }
  return chance;
}

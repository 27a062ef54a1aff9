import { decay, weightedTokens } from '../../../gain';
import { type Outlook, outlookOf } from '../../../predict/outlook';
import { gpuTime, prefillTime } from '../../../predict/pace';
import { NO_FUTURE } from '../../../predict/program-history';
import type { Job } from '../job';
import type { Circumstances, Prospect } from './prospect';

const NO_FUTURES = [NO_FUTURE];

/** An answer or a program: all of it counts, what runs and what is still to come, if it ends in time. */
export function ofWhole(job: Job, dueMs: number, on: Circumstances): Prospect {
  const { now, pace, gain, knowledge, tuning } = on;
  const [first] = job.calls;
  const leftMs = dueMs - now;
  const sloMs = dueMs - (job.program?.startMs ?? first.arrivalMs);
  let stageMs = 0;
  let tokens = 0;
  let costMs = 0;
  let weight = 0;
  for (const call of job.program?.calls ?? job.calls) {
    if (call.ended) {
      if (call.end?.kind === 'finished') weight += weightedTokens(call, call.generated, gain);
      continue;
    }
    const mean = knowledge.mean(call);
    const prefillMs = prefillTime(call, pace);
    // Nobody goes on for long with one that turns out too long to be in time.
    const possible = Math.max(1, possibleTokens(leftMs, prefillMs, on));
    const within = knowledge.meanWithin(call, possible);
    tokens += mean;
    costMs += gpuTime(call, within, pace);
    weight += weightedTokens(call, call.generated + within, gain);
    stageMs = Math.max(stageMs, prefillMs + mean * pace.tokenMs);
  }
  const { program } = job;
  const outlook = outlookOf(
    program === undefined ? NO_FUTURES : knowledge.futures(program, pace.tokenMs),
    pace,
  );
  weight += gain.inputWeight * outlook.promptTokens + gain.outputWeight * outlook.outputTokens;
  const { chance, reservedMs, futureMs } = later(job, outlook, leftMs, on);
  const neededMs = stageMs + futureMs;
  const decayed = decay(sloMs, sloMs - leftMs + Math.max(neededMs, leftMs), gain.alpha);
  return {
    value: weight * (chance + (1 - chance) * decayed),
    costMs: costMs + outlook.costMs,
    chance,
    late: false,
    tokens,
    futureMs,
    demand: {
      fromMs: dueMs - tuning.stretch * neededMs,
      toMs: dueMs,
      workMs: costMs + reservedMs,
      headMs: 0,
      headDueMs: 0,
    },
  };
}

/**
 * The chance to end in time over all that may come after the current stage, and what is set aside for that:
 * an upper bound, since a program that turns out longer than was thought loses everything.
 */
function later({ calls }: Job, { futures }: Outlook, leftMs: number, on: Circumstances) {
  let reservedMs = 0;
  let futureMs = 0;
  let chance = 0;
  let likely = 0;
  for (const future of futures) {
    let stageChance = future.weight;
    for (const call of calls) {
      const possible = possibleTokens(leftMs - future.afterMs, prefillTime(call, on.pace), on);
      stageChance *= possible < 1 ? 0 : on.knowledge.chance(call, possible);
    }
    chance += stageChance;
    if (likely >= on.tuning.futureQuantile) continue;
    likely += future.weight;
    reservedMs = Math.max(reservedMs, future.costMs);
    futureMs = Math.max(futureMs, future.afterMs);
  }
  return { chance, reservedMs, futureMs };
}

/** Tokens that can be made in a time at the best. */
function possibleTokens(leftMs: number, prefillMs: number, { pace }: Circumstances): number {
  return Math.floor((leftMs - prefillMs) / pace.bestMs);
}

import { describe, expect, it } from 'vitest';
import { DEFAULT_GAIN } from '../../../gain';
import { type Future, NO_FUTURE } from '../../../predict/program-history';
import { Program } from '../../../program';
import { Request } from '../../../request';
import { Job } from '../job';
import { taskOf } from '../order';
import { tuning } from '../tuning';
import { appraise, type Circumstances } from '.';

const PACE = {
  tokenMs: 10,
  bestMs: 10,
  decodeMs: 2,
  contextMs: 0,
  prefillMs: 1,
  baseMs: 5,
};

const END: Future = { ...NO_FUTURE, weight: 0.5 };

/** Every answer has ten more tokens. */
const on = (futures: readonly Future[] = []): Circumstances => ({
  now: 0,
  pace: PACE,
  gain: DEFAULT_GAIN,
  tuning,
  without: new Set(),
  knowledge: {
    mean: () => 10,
    meanWithin: (_request, tokens) => Math.min(10, tokens),
    chance: () => 1,
    futures: () => futures,
  },
});

function jobOf(call: Request, futures?: readonly Future[]): Job {
  const job = new Job(call);
  job.calls.push(call);
  job.appraisal = appraise(job, on(futures));
  return job;
}

describe('a stream as a job', () => {
  const stream = (promptTokens: number, ttft: number) => {
    const slo = { class: 'latency', ttft, tbt: 100 } as const;
    return new Request({ id: 's', app: 'chat', promptTokens, maxTokens: 100, slo }, 0, 0);
  };

  it('sets aside more for its prompt than the arithmetic takes', () => {
    const { demand } = jobOf(stream(100, 10_000)).appraisal;
    expect(demand.headMs).toBeCloseTo(1.4 * 100, 6);
    expect(demand.headDueMs).toBe(10_000);
  });

  it('has to begin as much earlier as its prompt takes, with a step to begin with and one for the token', () => {
    const call = stream(1000, 10_000);
    expect(taskOf(call, jobOf(call), false, on()).startMs).toBeCloseTo(10_000 - 1000 - 5 - 10, 6);
  });

  it('is late when its next token cannot be in time any more', () => {
    expect(jobOf(stream(100, 116)).appraisal.late).toBe(false);
    const late = jobOf(stream(100, 50));
    expect(late.appraisal.late).toBe(true);
    // The prompt and one of ten tokens are lost.
    expect(late.appraisal.value).toBe(9 * 8);
  });
});

describe('a program as a job', () => {
  it('is worth what it earns on average over what it takes on average, and sets aside what it may take', () => {
    // A call of 20 prompt and 10 output tokens, after which it is over, or another of 100 and 50 comes.
    const more = {
      promptTokens: 100,
      freshTokens: 100,
      outputTokens: 50,
      longestTokens: 50,
      longestPromptTokens: 100,
    };
    const futures = [END, { ...END, ...more, stages: 1, calls: 1 }];
    const program = new Program({ id: 'p', app: 'agent', deadlineMs: 60_000 }, 0);
    const slo = { class: 'program' } as const;
    const spec = { id: 'c', app: 'agent', promptTokens: 20, maxTokens: 100, slo, program };
    const call = new Request(spec, 0, 0);
    program.join(call);
    const job = jobOf(call, futures);
    const now = 20 * 1 + 10 * 2;
    const later = 100 * 1 + 50 * 2;
    expect(job.appraisal.value).toBeCloseTo(20 + 8 * 10 + 0.5 * (100 + 8 * 50), 6);
    expect(job.appraisal.costMs).toBeCloseTo(now + 0.5 * later, 6);
    expect(job.appraisal.density).toBeCloseTo(350 / 140, 6);
    expect(job.appraisal.demand.workMs).toBeCloseTo(now + later, 6);
    // The later stage's 50 tokens, its prompt, and a step to begin with.
    expect(job.appraisal.futureMs).toBeCloseTo(50 * 10 + 100 + 5, 6);
  });
});

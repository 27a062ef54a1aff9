import { describe, expect, it } from 'vitest';
import { DEFAULT_GAIN } from '../gain';
import { Program } from '../program';
import { type Future, NO_FUTURE } from '../program-history';
import { Request } from '../request';
import { type Circumstances, Job } from './job';

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
  justEnough: true,
  knowledge: {
    mean: () => 10,
    meanWithin: (_, tokens) => Math.min(10, tokens),
    quantile: () => 10,
    chance: () => 1,
    futures: () => futures,
  },
});

function jobOf(call: Request, futures?: readonly Future[]): Job {
  const job = new Job(call);
  job.calls.push(call);
  job.appraise(on(futures));
  return job;
}

describe('a stream as a job', () => {
  const stream = (promptTokens: number, ttft: number) => {
    const slo = { class: 'latency', ttft, tbt: 100 } as const;
    return new Request({ id: 's', app: 'chat', promptTokens, maxTokens: 100, slo }, 0, 0);
  };

  it('sets aside more for its prompt than the arithmetic takes, but only so much more', () => {
    const short = jobOf(stream(100, 10_000));
    expect(short.ramp.headMs).toBeCloseTo(1.4 * 100, 6);
    expect(short.ramp.headDueMs).toBe(10_000);
    const long = jobOf(stream(2000, 10_000));
    expect(long.ramp.headMs).toBeCloseTo(2000 + 8 * 10, 6);
  });

  it('has to begin a long prompt as many steps earlier as it takes', () => {
    // The prompt, a step to begin with and one for the first token …
    const short = stream(1000, 10_000);
    expect(jobOf(short).latestStart(short, on())).toBeCloseTo(10_000 - 1000 - 5 - 10, 6);
    // … and eight for the tokens beyond 1,024, at 128 a step.
    const long = stream(2048, 10_000);
    expect(jobOf(long).latestStart(long, on())).toBeCloseTo(10_000 - 2048 - 5 - 9 * 10, 6);
  });

  it('is late when its next token cannot be in time any more', () => {
    expect(jobOf(stream(100, 116)).late).toBe(false);
    const late = jobOf(stream(100, 50));
    expect(late.late).toBe(true);
    // The prompt and one of ten tokens are lost.
    expect(late.value).toBe(9 * 8);
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
    expect(job.value).toBeCloseTo(20 + 8 * 10 + 0.5 * (100 + 8 * 50), 6);
    expect(job.costMs).toBeCloseTo(now + 0.5 * later, 6);
    expect(job.density).toBeCloseTo(350 / 140, 6);
    expect(job.ramp.workMs).toBeCloseTo(now + later, 6);
    // The later stage's 50 tokens, its prompt, and a step to begin with.
    expect(job.futureMs).toBeCloseTo(50 * 10 + 100 + 5, 6);
  });
});

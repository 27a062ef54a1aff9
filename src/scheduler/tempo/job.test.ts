import { describe, expect, it } from 'vitest';
import { DEFAULT_GAIN } from '../gain';
import { Program } from '../program';
import { type Future, NO_WORK } from '../program-history';
import { Request } from '../request';
import { Job } from './job';

const PACE = {
  tokenMs: 10,
  bestMs: 10,
  decodeMs: 2,
  contextMs: 0,
  prefillMs: 1,
  baseMs: 5,
};

const END: Future = { ...NO_WORK, weight: 0.5 };

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
    const job = new Job(call);
    job.calls.push(call);
    job.appraise({
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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SamplingParams, seededRandom, uniformAt } from '../../scheduler';
import { Sampler } from './sampler';
import { SequenceSampling } from './sequence-sampling';

const GREEDY: SamplingParams = { temperature: 0, topP: 1, seed: 0 };

const sampler = new Sampler(20_000);

/** One draw of a fresh sequence. */
function draw(
  logits: ArrayLike<number>,
  params: Partial<SamplingParams>,
  generated: number[] = [],
) {
  const sequence = new SequenceSampling({ sampling: { ...GREEDY, ...params }, generated });
  return sampler.sample(Float32Array.from(logits), sequence);
}

/** The same, by sorting everything: TVM's `sample_top_p_from_logits` in doubles. */
function drawBySorting(
  logits: readonly number[],
  temperature: number,
  topP: number,
  uniform: number,
  topK = logits.length,
): { token: number; kept: Set<number> } {
  const max = Math.max(...logits);
  const all = logits.map((logit, token) => ({ token, p: Math.exp((logit - max) / temperature) }));
  all.sort((a, b) => logits[b.token] - logits[a.token] || a.token - b.token);
  const likeliest = all.slice(0, topK);
  const total = likeliest.reduce((sum, { p }) => sum + p, 0);
  let sum = 0;
  const kept: { token: number; upTo: number }[] = [];
  for (const { token, p } of likeliest) {
    if (sum >= topP * total) break;
    sum += p;
    kept.push({ token, upTo: sum });
  }
  const drawn = kept.find(({ upTo }) => uniform * sum < upTo) ?? kept[0];
  return { token: drawn.token, kept: new Set(kept.map(({ token }) => token)) };
}

const logit = fc.float({ min: -20, max: 20, noNaN: true }).map(Math.fround);
const rows = fc.array(logit, { minLength: 1, maxLength: 60 });
const temperature = fc.double({ min: 0.05, max: 3, noNaN: true });
const topP = fc.double({ min: 0.01, max: 1, noNaN: true });
const seed = fc.integer();

describe('a greedy draw', () => {
  it('is the largest logit, the first of equals', () => {
    fc.assert(
      fc.property(rows, (logits) => {
        expect(draw(logits, {}).token).toBe(logits.indexOf(Math.max(...logits)));
      }),
    );
  });

  it('is any draw at a temperature close to 0', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1 }),
        seed,
        (ints, s) => {
          const token = ints.indexOf(Math.max(...ints));
          expect(draw(ints, { temperature: 0.01, seed: s }).token).toBe(token);
        },
      ),
    );
  });
});

describe('a draw', () => {
  it('falls where sorting all tokens would have it', () => {
    fc.assert(
      fc.property(rows, temperature, topP, seed, (logits, t, p, s) => {
        const uniform = uniformAt(s, 0);
        const { token } = draw(logits, { temperature: t, topP: p, seed: s });
        // Within rounding of a boundary either side is right.
        const candidates = [-1e-5, 0, 1e-5].flatMap((shift) =>
          [-1e-5, 0, 1e-5].map(
            (slip) => drawBySorting(logits, t, Math.min(1, p + slip), uniform + shift).token,
          ),
        );
        const near = candidates.some((other) => Math.abs(logits[other] - logits[token]) < 1e-5);
        expect(near).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('falls among the likeliest tokens, where there are to be so many', () => {
    const topK = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(rows, temperature, topP, topK, seed, (logits, t, p, k, s) => {
        const { token } = draw(logits, { temperature: t, topP: p, topK: k, seed: s });
        const [uniform, slips] = [uniformAt(s, 0), [-1e-5, 0, 1e-5]];
        const candidates = slips.flatMap((shift) =>
          slips.map(
            (slip) => drawBySorting(logits, t, Math.min(1, p + slip), uniform + shift, k).token,
          ),
        );
        const near = candidates.some((other) => Math.abs(logits[other] - logits[token]) < 1e-5);
        expect(near).toBe(true);
      }),
      { numRuns: 500 },
    );
    const drawn = Array.from(
      { length: 200 },
      (_, s) => draw([2, 1.9, 1.8, 1.7], { temperature: 2, topK: 2, seed: s }).token,
    );
    expect([...new Set(drawn)].sort()).toEqual([0, 1]);
  });

  it('never leaves the nucleus', () => {
    fc.assert(
      fc.property(rows, temperature, topP, seed, (logits, t, p, s) => {
        const { kept } = drawBySorting(logits, t, Math.min(1, p + 1e-5), 0);
        expect(kept).toContain(draw(logits, { temperature: t, topP: p, seed: s }).token);
      }),
    );
  });

  it('follows the probabilities', () => {
    const probabilities = [0.5, 0.3, 0.15, 0.05];
    const logits = probabilities.map(Math.log);
    const counts = [0, 0, 0, 0];
    for (let s = 0; s < 20_000; s++) counts[draw(logits, { temperature: 1, seed: s }).token]++;
    counts.forEach((count, i) => {
      expect(count / 20_000).toBeCloseTo(probabilities[i], 1.7);
    });
    const nucleus = [0, 0, 0, 0];
    for (let s = 0; s < 20_000; s++) {
      nucleus[draw(logits, { temperature: 1, topP: 0.75, seed: s }).token]++;
    }
    expect(nucleus.slice(2)).toEqual([0, 0]);
    expect(nucleus[0] / 20_000).toBeCloseTo(0.625, 1.7);
  });

  it('handles a whole vocabulary of any shape', () => {
    const random = seededRandom(7);
    const shapes: Record<string, () => number> = {
      flat: () => 0,
      noisy: () => random() * 8,
      crowded: () => Math.fround(random() * 1e-4),
      steep: () => random() * 60,
    };
    for (const shape of Object.values(shapes)) {
      const logits = Array.from({ length: 20_000 }, () => Math.fround(shape()));
      for (const p of [1, 0.9, 0.1]) {
        for (const s of [1, 2, 3]) {
          const { token } = draw(logits, { temperature: 0.8, topP: p, seed: s });
          const expected = drawBySorting(logits, 0.8, p, uniformAt(s, 0)).token;
          // Keys are 2^-20 wide, so a draw among near equals may fall on a neighbour.
          expect(Math.abs(logits[token] - logits[expected])).toBeLessThan(2e-3);
          for (const k of [1, 40, 15_000]) {
            const among = draw(logits, { temperature: 0.8, topP: p, topK: k, seed: s });
            const { token: other } = drawBySorting(logits, 0.8, p, uniformAt(s, 0), k);
            expect(Math.abs(logits[among.token] - logits[other])).toBeLessThan(2e-3);
          }
        }
      }
    }
  });

  it('depends on the seed and the position, and on nothing else', () => {
    fc.assert(
      fc.property(rows, rows, seed, fc.nat(20), (logits, others, s, position) => {
        const generated = Array(position).fill(0);
        const alone = draw(logits, { temperature: 1, seed: s }, generated);

        const mate = new SequenceSampling({ sampling: { ...GREEDY, temperature: 1, seed: s + 1 } });
        const self = new SequenceSampling({ sampling: { ...GREEDY, temperature: 1, seed: s } });
        for (let i = 0; i < position; i++) {
          mate.accept(sampler.sample(Float32Array.from(others), mate).token);
          self.accept(0);
        }
        sampler.sample(Float32Array.from(others), mate);
        expect(sampler.sample(Float32Array.from(logits), self)).toEqual(alone);
      }),
    );
  });

  it('from nothing is an error, not a token', () => {
    for (const logits of [
      [-Infinity, -Infinity],
      [NaN, NaN],
      [Infinity, 1],
    ]) {
      expect(() => draw(logits, { temperature: 1 })).toThrowError(/No token can be drawn/);
    }
  });
});

describe('log probabilities', () => {
  it('are those of the distribution, likeliest first', () => {
    fc.assert(
      fc.property(rows, temperature, seed, fc.nat(20), (logits, t, s, top) => {
        const drawn = draw(logits, { temperature: t, seed: s, topLogprobs: top });
        const max = Math.max(...logits);
        const total = logits.reduce((sum, one) => sum + Math.exp((one - max) / t), 0);
        const exact = (token: number) => (logits[token] - max) / t - Math.log(total);
        expect(drawn.logprob).toBeCloseTo(exact(drawn.token), 4);
        const likeliest = drawn.topLogprobs ?? [];
        expect(likeliest).toHaveLength(Math.min(top, logits.length));
        const sorted = [...logits].sort((a, b) => b - a);
        likeliest.forEach(({ token, logprob }, i) => {
          expect(logits[token]).toBe(sorted[i]);
          expect(logprob).toBeCloseTo(exact(token), 4);
        });
      }),
    );
  });

  it('of a greedy draw are the model’s own', () => {
    const drawn = draw([Math.log(0.6), Math.log(0.4)], { topLogprobs: 2 });
    expect(Math.exp(drawn.logprob ?? 0)).toBeCloseTo(0.6);
    expect(drawn.topLogprobs?.map(({ token }) => token)).toEqual([0, 1]);
  });

  it('are left out where nobody asked', () => {
    expect(draw([1, 2], { temperature: 1 })).toEqual({ token: expect.any(Number) });
  });

  it('name no token that was masked', () => {
    const sampling = { ...GREEDY, topLogprobs: 5 };
    const sequence = new SequenceSampling({ sampling });
    const drawn = sampler.sample(Float32Array.of(3, 2, 1), sequence, Int32Array.of(0b110));
    expect(drawn.topLogprobs?.map(({ token }) => token)).toEqual([1, 2]);
  });
});

describe('a sequence that comes back', () => {
  it('draws as if it had never been away', () => {
    const sampling = { ...GREEDY, temperature: 1, seed: 5, frequencyPenalty: 0.7 };
    const random = seededRandom(3);
    const steps = Array.from({ length: 30 }, () => Float32Array.from({ length: 40 }, random));
    const write = (sequence: SequenceSampling, from: number, to: number) =>
      steps.slice(from, to).map((logits) => {
        const { token } = sampler.sample(logits.slice(), sequence);
        sequence.accept(token);
        return token;
      });
    const whole = write(new SequenceSampling({ sampling }), 0, 30);
    const resumed = new SequenceSampling({ sampling, generated: whole.slice(0, 12) });
    expect(write(resumed, 12, 30)).toEqual(whole.slice(12));
  });
});

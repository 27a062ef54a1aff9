import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random';
import { CostModel, type StepShape } from './cost-model';

const SEED = { baseMs: 10, perDecodeMs: 0, perContextTokenMs: 0, perPrefillTokenMs: 0.1 };

function shapes(seed: number): () => StepShape {
  const random = seededRandom(seed);
  return () => {
    const decodes = Math.floor(33 * random());
    const prefillTokens = random() < 0.5 ? 0 : Math.floor(1024 * random());
    return { decodes, prefillTokens, contextTokens: decodes * Math.floor(2000 * random()) };
  };
}

const linear = (s: StepShape) =>
  6 + 0.4 * s.decodes + 0.0002 * s.contextTokens + 0.05 * s.prefillTokens;
const roofline = (s: StepShape) =>
  4 + Math.max(8, (s.decodes + s.prefillTokens) * 0.08) + 0.0001 * s.contextTokens;

function learnt(truth: (s: StepShape) => number, steps = 400): CostModel {
  const model = new CostModel(SEED);
  const draw = shapes(1);
  for (let i = 0; i < steps; i++) {
    const shape = draw();
    model.observe(shape, truth(shape));
  }
  return model;
}

function worstError(model: CostModel, truth: (s: StepShape) => number): number {
  const draw = shapes(2);
  let worst = 0;
  for (let i = 0; i < 200; i++) {
    const shape = draw();
    worst = Math.max(worst, Math.abs(model.stepMs(shape) / truth(shape) - 1));
  }
  return worst;
}

describe('CostModel', () => {
  it('believes its seed before the first step', () => {
    const model = new CostModel(SEED);
    expect(model.stepMs({ decodes: 4, contextTokens: 100, prefillTokens: 50 })).toBeCloseTo(15);
  });

  it('finds a linear engine to within 5%', () => {
    expect(worstError(learnt(linear), linear)).toBeLessThan(0.05);
  });

  it('finds a roofline and its knee to within 5%', () => {
    const model = learnt(roofline);
    expect(worstError(model, roofline)).toBeLessThan(0.05);
    expect(model.costs.freeTokens).toBe(96);
  });

  it('is not moved by one step that took a hundred times as long', () => {
    const model = learnt(linear);
    const shape = { decodes: 8, contextTokens: 4000, prefillTokens: 0 };
    model.observe(shape, 100 * linear(shape));
    expect(model.stepMs(shape) / linear(shape)).toBeLessThan(1.1);
  });

  it('believes a device that stays twice as slow within a hundred steps', () => {
    const model = learnt(linear);
    const draw = shapes(5);
    for (let i = 0; i < 100; i++) {
      const shape = draw();
      model.observe(shape, 2 * linear(shape));
    }
    const shape = { decodes: 16, contextTokens: 16_000, prefillTokens: 256 };
    expect(model.stepMs(shape) / linear(shape)).toBeGreaterThan(1.8);
  });

  it('never has a negative coefficient, nor one that is not a number, whatever it sees', () => {
    const step = fc.record({
      decodes: fc.nat(64),
      contextTokens: fc.nat(100_000),
      prefillTokens: fc.nat(4096),
      ms: fc.double({ noNaN: false }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new CostModel(SEED);
        for (const { ms, ...shape } of steps) model.observe(shape, Math.min(ms, 1e9));
        for (const value of Object.values(model.costs)) {
          expect(Number.isFinite(value) && value >= 0).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});

import { describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../random';
import { Request } from '../request';
import { Digest } from './digest';
import { BOUND, LengthPredictor } from './length-predictor';

let order = 0;
function request(draft: { app?: string; stage?: string; prompt?: number; max?: number } = {}) {
  const { app = 'chat', stage = 'answer', prompt = 200, max = 4096 } = draft;
  const spec = { id: `r${order}`, app, stage, promptTokens: prompt, maxTokens: max };
  return new Request({ ...spec, slo: { class: 'best-effort' } }, 0, order++);
}

function finished(predictor: LengthPredictor, tokens: number, draft = {}) {
  const one = request(draft);
  one.estimate = predictor.expect(one);
  one.generated = Math.min(one.maxTokens, tokens);
  predictor.observe(one);
  return one;
}

/** Log-normal lengths around 150 tokens. */
function lengths(seed: number): () => number {
  const random = seededRandom(seed);
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(1, Math.round(150 * Math.exp(0.8 * normal)));
  };
}

describe('LengthPredictor', () => {
  it('never predicts more than max_tokens leaves, nor less than one token', () => {
    const predictor = new LengthPredictor();
    const one = request({ max: 20 });
    expect(predictor.remaining(one, BOUND)).toBe(20);
    one.generated = 19;
    expect(predictor.remaining(one, 0.01)).toBe(1);
    expect(predictor.chance(one, 1)).toBe(1);
  });

  it('takes in a thousand requests before the first has finished with few looks at those that run', () => {
    const made = vi.spyOn(Digest.prototype, 'centroids');
    const predictor = new LengthPredictor();
    finished(predictor, 100);
    made.mockClear();
    for (let i = 0; i < 1000; i++) predictor.expect(request());
    const looks = made.mock.calls.length;
    made.mockRestore();
    // Each makes up to four digests' tables; one look a request would make 4,000.
    expect(looks).toBeLessThan(700);
  });

  it('bounds 93 to 98 of 100 lengths after 100 observations, at a fraction of what max_tokens would', () => {
    const predictor = new LengthPredictor();
    const draw = lengths(3);
    for (let i = 0; i < 100; i++) finished(predictor, draw());
    let covered = 0;
    let over = 0;
    let overMax = 0;
    const trials = 4000;
    for (let i = 0; i < trials; i++) {
      const one = finished(predictor, draw());
      const bound = one.estimate?.bound ?? 0;
      if (one.generated <= bound) covered++;
      over += Math.max(0, bound - one.generated);
      overMax += one.maxTokens - one.generated;
    }
    expect(covered / trials).toBeGreaterThan(0.93);
    expect(covered / trials).toBeLessThan(0.98);
    expect(over / overMax).toBeLessThan(1 / 3);
    expect(predictor.calibration.coverage).toBeGreaterThan(0.93);
  });

  it('tightens as generation goes on: who has passed the short ones is one of the long ones', () => {
    const predictor = new LengthPredictor();
    for (let i = 0; i < 100; i++) finished(predictor, i % 2 === 0 ? 20 : 300);
    const one = request();
    expect(predictor.remaining(one, 0.4)).toBe(20);
    one.generated = 21;
    expect(predictor.remaining(one, 0.4)).toBe(279);
    expect(predictor.chance(one, 100)).toBeLessThan(0.05);
    expect(predictor.expected(one)).toBeGreaterThan(250);
  });

  it('tells stages and prompt sizes apart, and leans on its like where it knows nothing', () => {
    const predictor = new LengthPredictor();
    for (let i = 0; i < 80; i++) {
      finished(predictor, 10, { stage: 'decide' });
      finished(predictor, 900, { stage: 'write' });
    }
    expect(predictor.remaining(request({ stage: 'decide' }), 0.5)).toBe(10);
    expect(predictor.remaining(request({ stage: 'write' }), 0.5)).toBe(900);
    expect(predictor.remaining(request({ stage: 'write', prompt: 3000 }), 0.5)).toBe(900);
    const unknown = predictor.remaining(request({ stage: 'new' }), BOUND);
    expect(unknown).toBeGreaterThanOrEqual(900);
  });

  it('forgets: after a change it bounds the new lengths within some hundred observations', () => {
    const predictor = new LengthPredictor();
    for (let i = 0; i < 2000; i++) finished(predictor, 50 + (i % 10));
    for (let i = 0; i < 600; i++) finished(predictor, 500 + (i % 10));
    expect(predictor.remaining(request(), 0.5)).toBeGreaterThanOrEqual(500);
  });

  it('learns from those that still run that answers are long, before the first has finished', () => {
    const predictor = new LengthPredictor();
    const before = predictor.remaining(request(), 0.5);
    for (let i = 0; i < 20; i++) {
      const one = request();
      predictor.expect(one);
      one.generated = 600;
    }
    const next = request();
    predictor.expect(next);
    expect(predictor.remaining(next, 0.5)).toBeGreaterThan(3 * before);
  });

  it('passes on what it has learnt as numbers under labels, and merges them', () => {
    const [teacher, pupil] = [new LengthPredictor(), new LengthPredictor()];
    for (let i = 0; i < 100; i++) finished(teacher, 77);
    const profile = JSON.parse(JSON.stringify(teacher.export()));
    pupil.merge(profile);
    expect(pupil.remaining(request(), 0.5)).toBe(77);
    expect(Object.keys(profile.lengths)).toContain('chat/answer/7');
  });
});

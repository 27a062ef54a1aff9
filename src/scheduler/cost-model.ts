/** What a step consists of, as far as its duration goes. */
export interface StepShape {
  /** Sequences decoded. */
  decodes: number;
  /** Tokens in the cache that the members attend to, all together. */
  contextTokens: number;
  /** Prompt tokens computed. */
  prefillTokens: number;
}

/** Coefficients of step time, ms: base + perDecode·decodes + perContext·context + perPrefill·prefill. */
export interface StepCosts {
  baseMs: number;
  perDecodeMs: number;
  perContextTokenMs: number;
  perPrefillTokenMs: number;
}

/**
 * A linear model of step time, fitted online by recursive least squares with forgetting.
 * Seeded by a calibration or a device profile.
 */
export class CostModel {
  readonly #theta: Float64Array;
  readonly #p: Float64Array; // inverse information, 4 x 4, row-major
  readonly #forgetting: number;

  constructor(seed: StepCosts, forgetting = 0.995) {
    this.#theta = Float64Array.of(
      seed.baseMs,
      seed.perDecodeMs,
      seed.perContextTokenMs * SCALE[2],
      seed.perPrefillTokenMs * SCALE[3],
    );
    this.#p = new Float64Array(16);
    for (let i = 0; i < 4; i++) this.#p[i * 5] = 1;
    this.#forgetting = forgetting;
  }

  get costs(): StepCosts {
    const t = this.#theta;
    return {
      baseMs: Math.max(0, t[0]),
      perDecodeMs: Math.max(0, t[1]),
      perContextTokenMs: Math.max(0, t[2] / SCALE[2]),
      perPrefillTokenMs: Math.max(0, t[3] / SCALE[3]),
    };
  }

  /** Expected duration of a step, ms. */
  stepMs(shape: StepShape): number {
    const c = this.costs;
    return (
      c.baseMs +
      c.perDecodeMs * shape.decodes +
      c.perContextTokenMs * shape.contextTokens +
      c.perPrefillTokenMs * shape.prefillTokens
    );
  }

  /** Learns from a step that took `durationMs`. */
  observe(shape: StepShape, durationMs: number): void {
    const x = [1, shape.decodes, shape.contextTokens / SCALE[2], shape.prefillTokens / SCALE[3]];
    const p = this.#p;
    const px = [0, 0, 0, 0];
    for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) px[i] += p[i * 4 + j] * x[j];
    let denominator = this.#forgetting;
    let predicted = 0;
    for (let i = 0; i < 4; i++) {
      denominator += x[i] * px[i];
      predicted += x[i] * this.#theta[i];
    }
    const error = durationMs - predicted;
    for (let i = 0; i < 4; i++) {
      this.#theta[i] += (px[i] / denominator) * error;
      for (let j = 0; j < 4; j++) {
        p[i * 4 + j] = (p[i * 4 + j] - (px[i] * px[j]) / denominator) / this.#forgetting;
      }
    }
  }
}

/** Features are brought to a like size, so that one starting uncertainty suits them all. */
const SCALE = [1, 1, 1000, 100] as const;

/** What a step consists of, as far as its duration goes. */
export interface StepShape {
  /** Sequences decoded. */
  decodes: number;
  /** Tokens in the cache that the members attend to, all together. */
  contextTokens: number;
  /** Prompt tokens computed. */
  prefillTokens: number;
}

/**
 * Coefficients of step time, ms:
 * base + perDecode·decodes + perContext·context + perPrefill·max(0, prefill − room),
 * where room = max(0, freeTokens − decodes).
 */
export interface StepCosts {
  baseMs: number;
  perDecodeMs: number;
  perContextTokenMs: number;
  perPrefillTokenMs: number;
  /**
   * Tokens (decodes and prefill together) whose arithmetic hides behind reading the weights, which
   * every step does anyway (a roofline's knee). 0 or absent: none.
   */
  freeTokens?: number;
}

/** Knees that are tried. Which one is right is learnt like the rest. */
const KNEES = [0, 16, 32, 64, 96, 128, 192, 256] as const;
/** Features are brought to a like size, so that one ridge suits them all. */
const SCALE = [1, 10, 1000, 100] as const;
/** How many observations the seed counts as. */
const SEED_WEIGHT = 2;
/** An error is cut to this many times the usual one. */
const OUTLIER = 4;
/** The usual error is at least this share of the prediction. */
const LEAST_SPREAD = 0.05;
/** So many steps in a row all slower, or all faster, by a tenth are a new regime (a throttled device). */
const NEW_REGIME = 6;
/** In a new regime the past is forgotten this fast. */
const FORGETTING_FAST = 0.85;

/**
 * A linear model of step time with a roofline's knee, fitted online by least squares with
 * forgetting. Coefficients are never negative, and one odd step (a first-use compile, a hidden tab)
 * moves them little; steps that stay odd are believed within some tens of steps.
 * Seeded by a calibration or a device profile.
 */
export class CostModel {
  readonly #forgetting: number;
  readonly #fits: readonly Fit[];
  #best: Fit;
  /** Usual size of an error, ms. */
  #spread = 0;
  #observations = 0;
  /** Steps in a row that were slower (above 0) or faster (below 0) than predicted by a tenth. */
  #run = 0;
  /** Step time averaged over the last steps that decoded, ms. */
  #decodeStepMs = 0;

  constructor(seed: StepCosts, forgetting = 0.995) {
    this.#forgetting = forgetting;
    const seedKnee = seed.freeTokens ?? 0;
    this.#fits = KNEES.map((knee) => new Fit(knee, seed));
    this.#best = this.#fits.reduce((best, fit) =>
      Math.abs(fit.knee - seedKnee) < Math.abs(best.knee - seedKnee) ? fit : best,
    );
  }

  get costs(): Required<StepCosts> {
    return this.#best.costs;
  }

  /** Steps learnt from. */
  get observations(): number {
    return this.#observations;
  }

  /** Duration of the recent steps that decoded, averaged, ms; undefined before the first. */
  get recentDecodeStepMs(): number | undefined {
    return this.#decodeStepMs > 0 ? this.#decodeStepMs : undefined;
  }

  /** Expected duration of a step, ms. */
  stepMs(shape: StepShape): number {
    return this.#best.predict(shape.decodes, shape.contextTokens, shape.prefillTokens);
  }

  /** What one more decode with this context adds to a step, ms. */
  decodeMs(contextTokens: number): number {
    const { perDecodeMs, perContextTokenMs } = this.#best.costs;
    return perDecodeMs + perContextTokenMs * contextTokens;
  }

  /** Learns from a step that took `durationMs`. */
  observe(shape: StepShape, durationMs: number): void {
    if (!(durationMs >= 0) || !Number.isFinite(durationMs)) return;
    const predicted = this.stepMs(shape);
    const error = durationMs - predicted;
    const usual = Math.max(this.#spread, LEAST_SPREAD * predicted, 0.1);
    const cut = Math.max(-OUTLIER * usual, Math.min(OUTLIER * usual, error));
    this.#spread += 0.05 * (Math.abs(cut) - this.#spread);
    this.#observations++;
    const side = Math.abs(error) > 0.1 * predicted ? Math.sign(error) : 0;
    this.#run = side * this.#run > 0 ? this.#run + side : side;
    const forgetting = Math.abs(this.#run) >= NEW_REGIME ? FORGETTING_FAST : this.#forgetting;
    const believed = Math.max(0, predicted + cut);
    let best = this.#best;
    for (const fit of this.#fits) {
      fit.observe(shape, believed, forgetting);
      // A knee has to be clearly better to be changed to.
      if (fit.loss < best.loss * (best === this.#best ? 0.9 : 1)) best = fit;
    }
    this.#best = best;
    best.solve();
    if (shape.decodes > 0) {
      this.#decodeStepMs =
        this.#decodeStepMs === 0
          ? believed
          : this.#decodeStepMs + 0.01 * (believed - this.#decodeStepMs);
    }
  }
}

/** Decayed normal equations for one knee, solved under theta >= 0 by coordinate descent. */
class Fit {
  readonly knee: number;
  /** Decayed squared error of this fit's own predictions, relative to the step's length. */
  loss = 0;
  costs: Required<StepCosts>;
  readonly #a = new Float64Array(16);
  readonly #b = new Float64Array(4);
  readonly #x = new Float64Array(4);
  readonly #theta: Float64Array;
  readonly #seed: Float64Array;
  #weight = 0;
  #sinceSolved = 0;

  constructor(knee: number, seed: StepCosts) {
    this.knee = knee;
    this.#seed = Float64Array.of(
      seed.baseMs * SCALE[0],
      seed.perDecodeMs * SCALE[1],
      seed.perContextTokenMs * SCALE[2],
      seed.perPrefillTokenMs * SCALE[3],
    ).map((value) => Math.max(0, value));
    this.#theta = this.#seed.slice();
    this.costs = this.#costs();
  }

  predict(decodes: number, contextTokens: number, prefillTokens: number): number {
    const c = this.costs;
    const hidden = Math.max(0, this.knee - decodes);
    return (
      c.baseMs +
      c.perDecodeMs * decodes +
      c.perContextTokenMs * contextTokens +
      c.perPrefillTokenMs * Math.max(0, prefillTokens - hidden)
    );
  }

  observe(shape: StepShape, durationMs: number, forgetting: number): void {
    const error =
      (durationMs - this.predict(shape.decodes, shape.contextTokens, shape.prefillTokens)) /
      Math.max(1, durationMs);
    this.loss = forgetting * this.loss + error * error;
    const x = this.#x;
    x[0] = 1 / SCALE[0];
    x[1] = shape.decodes / SCALE[1];
    x[2] = shape.contextTokens / SCALE[2];
    x[3] = Math.max(0, shape.prefillTokens - Math.max(0, this.knee - shape.decodes)) / SCALE[3];
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++)
        this.#a[i * 4 + j] = forgetting * this.#a[i * 4 + j] + x[i] * x[j];
      this.#b[i] = forgetting * this.#b[i] + x[i] * durationMs;
    }
    this.#weight = forgetting * this.#weight + 1;
    if (++this.#sinceSolved >= 8) this.solve();
  }

  solve(): void {
    this.#sinceSolved = 0;
    // The seed holds where the data say nothing, and fades with their number.
    const ridge = SEED_WEIGHT / (1 + this.#weight / 16);
    const theta = this.#theta;
    for (let sweep = 0; sweep < 12; sweep++) {
      for (let i = 0; i < 4; i++) {
        let residual = this.#b[i] + ridge * this.#seed[i];
        for (let j = 0; j < 4; j++) if (j !== i) residual -= this.#a[i * 4 + j] * theta[j];
        theta[i] = Math.max(0, residual / (this.#a[i * 5] + ridge));
      }
    }
    this.costs = this.#costs();
  }

  #costs(): Required<StepCosts> {
    const t = this.#theta;
    return {
      baseMs: t[0] / SCALE[0],
      perDecodeMs: t[1] / SCALE[1],
      perContextTokenMs: t[2] / SCALE[2],
      perPrefillTokenMs: t[3] / SCALE[3],
      freeTokens: this.knee,
    };
  }
}

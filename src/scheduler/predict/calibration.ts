import type { Request } from '../request';

/** How good the upper bounds of the output length turned out to be. */
export interface CalibrationSnapshot {
  /** Finished requests whose bound is counted. */
  count: number;
  /** Share of them that stayed within the bound told at submission; undefined before the first. */
  coverage?: number;
  /** Mean of (bound − length), in tokens, where the bound was above. */
  meanOvershoot?: number;
  /** The same for max_tokens, which is what an engine without predictions has to assume. */
  meanMaxTokensOvershoot?: number;
}

/** Compares bounds with what came of them. */
export class Calibration {
  #count = 0;
  #covered = 0;
  #overshoot = 0;
  #maxOvershoot = 0;

  /** A finished request whose length had been bounded by `bound` tokens at submission. */
  observe(request: Request, bound: number): void {
    this.#count++;
    if (request.generated <= bound) this.#covered++;
    this.#overshoot += Math.max(0, bound - request.generated);
    this.#maxOvershoot += Math.max(0, request.maxTokens - request.generated);
  }

  snapshot(): CalibrationSnapshot {
    if (this.#count === 0) return { count: 0 };
    return {
      count: this.#count,
      coverage: this.#covered / this.#count,
      meanOvershoot: this.#overshoot / this.#count,
      meanMaxTokensOvershoot: this.#maxOvershoot / this.#count,
    };
  }
}

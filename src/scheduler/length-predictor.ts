import { TDigest } from 'tdigest';
import type { Request } from './request';

/** Predicts how many output tokens a request still has to come, from what finished before it. */
export class LengthPredictor {
  readonly #digests = new Map<string, TDigest>();

  /** Quantile `q` of the remaining output length, given what was generated: Q(q | L > g) - g, at least 1. */
  remaining(request: Request, q: number): number {
    const digest = this.#digests.get(keyOf(request));
    if (digest === undefined || digest.size() < 8) return Math.max(1, request.remainingMax);
    const passed = digest.p_rank(request.generated);
    const total = digest.percentile(passed + (1 - passed) * q);
    return Math.max(1, Math.min(request.remainingMax, Math.ceil(total - request.generated)));
  }

  /** Learns from a finished request. */
  observe(request: Request): void {
    const key = keyOf(request);
    let digest = this.#digests.get(key);
    if (digest === undefined) {
      digest = new TDigest();
      this.#digests.set(key, digest);
    }
    digest.push(request.generated);
  }
}

function keyOf(request: Request): string {
  return `${request.app}/${request.stage}`;
}

import { TempoError } from '../worker/protocol';

/**
 * A copy of `options`, for which null is no value. Throws `invalid_request` unless it is an object that
 * can be read; `param` is what misses it most.
 */
export function checked<T extends object>(options: T, param?: string): T {
  try {
    if (typeof options === 'object' && options !== null) return { ...options };
  } catch {
    // A getter throws.
  }
  throw new TempoError('invalid_request', 'Options are an object.', { param });
}

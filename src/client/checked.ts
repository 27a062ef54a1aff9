import { TempoError } from '../worker/protocol';

export function invalid(message: string, param?: string): TempoError {
  return new TempoError('invalid_request', message, { param });
}

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
  throw invalid('Options are an object.', param);
}

/** Throws `invalid_request` where a field is set among what is left of options when all known ones are taken. */
export function refuse(rest: object): void {
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined && value !== null) throw invalid(`There is no field "${name}".`, name);
  }
}

/** Throws `invalid_request` for what cannot be called back. */
export function checkListener(listener: unknown): void {
  if (typeof listener !== 'function') throw invalid('A listener is a function.', 'listener');
}

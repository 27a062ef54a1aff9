import { TempoError } from '../worker/protocol';

/** Throws `invalid_request` unless `options` is an object; `param` is what misses it most. */
export function checked<T extends object>(options: T, param?: string): T {
  if (typeof options === 'object' && options !== null) return options;
  throw new TempoError('invalid_request', `Expected an object of options, got ${options}.`, {
    param,
  });
}

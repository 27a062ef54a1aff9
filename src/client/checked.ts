import { TempoError } from '../worker/protocol';

/** Throws `invalid_request` unless `options` is an object. */
export function checked<T extends object>(options: T): T {
  if (typeof options === 'object' && options !== null) return options;
  throw new TempoError('invalid_request', `Expected an object of options, got ${options}.`);
}

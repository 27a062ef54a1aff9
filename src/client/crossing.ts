import { TempoError } from '../worker/protocol';

const checks = () =>
  import('../worker/plain').catch((thrown) => {
    throw TempoError.from(thrown, 'worker_unavailable');
  });

/**
 * A copy of `value` that can go to a worker, and that its caller can no longer change. Proxies (Vue,
 * MobX) become plain. Throws `invalid_request`, naming the field, for what is no data, or too much of it.
 */
export async function crossing<T>(value: T): Promise<T> {
  let copy: T;
  try {
    copy = structuredClone(value);
  } catch {
    return (await checks()).plain(value, '');
  }
  return (await checks()).modest(copy);
}

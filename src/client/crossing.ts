/**
 * A copy of `value` that can go to a worker, and that its caller can no longer change. Proxies (Vue,
 * MobX) become plain. Throws `invalid_request`, naming the field, for what is no data.
 */
export async function crossing<T>(value: T): Promise<T> {
  try {
    return structuredClone(value);
  } catch {
    const { plain } = await import('../worker/plain');
    return plain(value, '');
  }
}

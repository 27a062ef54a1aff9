import { MAX_VALUES } from '../worker/protocol';

/**
 * A copy of `value` that can go to a worker, and that its caller can no longer change. Proxies (Vue,
 * MobX) become plain. Throws `invalid_request`, naming the field, for what is no data.
 */
export async function crossing<T>(value: T): Promise<T> {
  try {
    if (isModest(value)) return structuredClone(value);
  } catch {
    // What it is the copy tells, field by field.
  }
  const { plain } = await import('../worker/plain');
  return plain(value, '');
}

/** Whether it has no more in it than a request may; told in less time than a copy takes. */
function isModest(value: unknown): boolean {
  const all = [value];
  for (const one of all) {
    if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one)) continue;
    for (const part of Object.values(one)) {
      if (typeof part !== 'number' && all.push(part) > MAX_VALUES) return false;
    }
  }
  return true;
}

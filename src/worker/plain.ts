/** What a client asks of what is to cross: loaded with the first request. */
import { MAX_VALUES } from '../server/limits';
import { plain } from '../server/plain';

export { plain };

/** A copy that can cross, unless it has more in it than a request may: `invalid_request`, naming the field. */
export function modest<T>(copy: T): T {
  return isModest(copy) ? copy : plain(copy, '');
}

/** Told in less time than a copy takes. */
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

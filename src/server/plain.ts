import { TempoError } from '../scheduler/errors';

/** Deeper than any schema that is meant. */
const MAX_DEPTH = 200;

/**
 * `value` as data that can cross to a worker: what JSON would make of it, so that the proxies of Vue
 * or MobX, class instances and fields set to undefined are no obstacle. Binary data passes as it is.
 * Throws `invalid_request`, naming the field, for what no data is: functions, symbols, cycles.
 */
export function plain<T>(value: T, name: string): T {
  return copy(value, name, []) as T;
}

function copy(value: unknown, path: string, above: readonly object[]): unknown {
  switch (typeof value) {
    case 'function':
    case 'symbol':
    case 'bigint':
      throw refused(path, `is a ${typeof value}`);
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null || isBinary(value)) return value;
  if (above.includes(value)) throw refused(path, 'contains itself');
  if (above.length >= MAX_DEPTH) throw refused(path, `is nested more than ${MAX_DEPTH} deep`);
  const within = [...above, value];
  const read = <V>(get: () => V, at: string): V => {
    try {
      return get();
    } catch (thrown) {
      if (thrown instanceof TempoError) throw thrown;
      throw refused(at, 'cannot be read', thrown);
    }
  };
  if (Array.isArray(value)) {
    return Array.from(value, (_, i) =>
      copy(
        read(() => value[i], `${path}[${i}]`),
        `${path}[${i}]`,
        within,
      ),
    );
  }
  const record = value as Record<string, unknown>;
  if (read(() => typeof record.toJSON, path) === 'function') {
    return copy(
      read(() => (record as unknown as Date).toJSON(), path),
      path,
      within,
    );
  }
  if (value instanceof Map || value instanceof Set) throw refused(path, 'is a Map or Set');
  const result: Record<string, unknown> = {};
  for (const key of read(() => Object.keys(value), path)) {
    const at = path === '' ? key : `${path}.${key}`;
    const field = copy(
      read(() => record[key], at),
      at,
      within,
    );
    // Not by assignment, which would take `__proto__` for something else.
    if (field !== undefined) {
      Object.defineProperty(result, key, {
        value: field,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return result;
}

function isBinary(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    (typeof Blob !== 'undefined' && value instanceof Blob) ||
    (typeof ImageBitmap !== 'undefined' && value instanceof ImageBitmap)
  );
}

function refused(path: string, why: string, cause?: unknown): TempoError {
  return new TempoError(
    'invalid_request',
    `${path || 'The request'} ${why}; a request is data: texts, numbers, true and false, lists and objects of them.`,
    { param: path || undefined, cause },
  );
}

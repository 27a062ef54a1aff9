import { TempoError } from '../scheduler/errors';

/** Deeper than any schema that is meant. */
const MAX_DEPTH = 200;
/** More than any request holds: a list may claim any length, and a few objects that hold one another twice are billions. */
const MAX_VALUES = 1_000_000;

/**
 * `value` as data that can cross to a worker: what JSON would make of it, so that the proxies of Vue
 * or MobX, class instances and fields set to undefined are no obstacle. Binary data passes as it is.
 * Throws `invalid_request`, naming the field, for what no data is: functions, symbols, cycles.
 */
export function plain<T>(value: T, name: string): T {
  return new Copying().copy(value, name, []) as T;
}

class Copying {
  #values = 0;

  copy(value: unknown, path: string, above: readonly object[]): unknown {
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
    if (value === null || read(() => isBinary(value), path)) return value;
    if (above.includes(value)) throw refused(path, 'contains itself');
    if (above.length >= MAX_DEPTH) throw refused(path, `is nested more than ${MAX_DEPTH} deep`);
    const within = [...above, value];
    if (Array.isArray(value)) return this.#list(value, path, within);
    const record = value as Record<string, unknown>;
    if (read(() => typeof record.toJSON, path) === 'function') {
      const json = read(() => (record as unknown as Date).toJSON(), path);
      return this.copy(json, path, within);
    }
    if (value instanceof Map || value instanceof Set) throw refused(path, 'is a Map or Set');
    return this.#record(record, path, within);
  }

  #list(value: readonly unknown[], path: string, within: readonly object[]): unknown[] {
    const length = read(() => value.length, path);
    this.#count(length, path);
    return Array.from({ length }, (_, i) => {
      const at = `${path}[${i}]`;
      return this.copy(
        read(() => value[i], at),
        at,
        within,
      );
    });
  }

  #record(record: Record<string, unknown>, path: string, within: readonly object[]): object {
    const result: Record<string, unknown> = {};
    const keys = read(() => Object.keys(record), path);
    this.#count(keys.length, path);
    for (const key of keys) {
      const at = path === '' ? key : `${path}.${key}`;
      const value = this.copy(
        read(() => record[key], at),
        at,
        within,
      );
      // Not by assignment, which would take `__proto__` for something else.
      if (value !== undefined) {
        Object.defineProperty(result, key, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
    }
    return result;
  }

  #count(values: number, path: string): void {
    this.#values += values;
    if (this.#values > MAX_VALUES) throw refused(path, `makes more than ${MAX_VALUES} values`);
  }
}

/** What a getter or a proxy gives, or an error that names the field where it throws. */
function read<T>(get: () => T, path: string): T {
  try {
    return get();
  } catch (thrown) {
    if (thrown instanceof TempoError) throw thrown;
    throw refused(path, 'cannot be read', thrown);
  }
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

import { TempoError } from '../scheduler/errors';
import { MAX_VALUES } from './limits';

/** Characters of all texts of one request. */
export const MAX_CHARACTERS = 2 ** 22;
/** Deeper than any schema that is meant. */
const MAX_DEPTH = 200;

/**
 * `value` as data that can cross to a worker: what JSON would make of it, so that the proxies of Vue
 * or MobX, class instances and fields set to undefined are no obstacle. Binary data passes as it is.
 * Throws `invalid_request`, naming the field, for what no data is: functions, symbols, cycles.
 */
export function plain<T>(value: T, name: string): T {
  return new Copying().copy(value, name) as T;
}

class Copying {
  #values = 0;
  #characters = 0;
  /** What the value is within. */
  readonly #above: object[] = [];

  copy(value: unknown, path: string): unknown {
    switch (typeof value) {
      case 'string':
        // An image in a text has limits of its own.
        if (!value.startsWith('data:')) this.#read(value, path);
        return value;
      case 'function':
      case 'symbol':
      case 'bigint':
        throw refused(path, `is a ${typeof value}`);
      case 'object':
        break;
      default:
        return value;
    }
    if (value === null) return value;
    return read(() => this.#object(value, path), path);
  }

  #object(value: object, path: string): unknown {
    if (isBinary(value)) return value;
    const above = this.#above;
    if (above.includes(value)) throw refused(path, 'contains itself');
    if (above.length >= MAX_DEPTH) throw refused(path, `is nested more than ${MAX_DEPTH} deep`);
    above.push(value);
    const copied = this.#within(value, path);
    above.pop();
    return copied;
  }

  #within(value: object, path: string): unknown {
    if (Array.isArray(value)) return this.#list(value, path);
    const record = value as Record<string, unknown>;
    if (read(() => typeof record.toJSON, path) === 'function') {
      const json = read(() => (record as unknown as Date).toJSON(), path);
      return this.copy(json, path);
    }
    if (value instanceof Map || value instanceof Set) throw refused(path, 'is a Map or Set');
    return this.#record(record, path);
  }

  #list(value: readonly unknown[], path: string): unknown[] {
    const { length } = value;
    this.#count(length / 8, path);
    const items: unknown[] = [];
    for (let i = 0; i < length; i++) {
      const item = read(() => value[i], path, i);
      // Most of long lists are numbers: no path is made for each.
      if (typeof item === 'number') items.push(item);
      else {
        this.#count(1, path);
        items.push(this.copy(item, `${path}[${i}]`));
      }
    }
    return items;
  }

  #record(record: Record<string, unknown>, path: string): object {
    const result: Record<string, unknown> = {};
    const keys = read(() => Object.keys(record), path);
    this.#count(keys.length, path);
    for (const key of keys) {
      this.#read(key, path);
      const at = path === '' ? key : `${path}.${key}`;
      const value = this.copy(
        read(() => record[key], at),
        at,
      );
      // Assigned, `__proto__` would be something else.
      if (value !== undefined && key === '__proto__') {
        Object.defineProperty(result, key, { value, enumerable: true });
      } else if (value !== undefined) result[key] = value;
    }
    return result;
  }

  #count(values: number, path: string): void {
    this.#values += values;
    // Also where a proxy says that a length is no number.
    if (this.#values <= MAX_VALUES) return;
    throw refused(path, `makes more than ${MAX_VALUES} values`);
  }

  #read(text: string, path: string): void {
    this.#characters += text.length;
    if (this.#characters <= MAX_CHARACTERS) return;
    const sentence = `The request has more than ${MAX_CHARACTERS} characters, which no model reads. Shorten it.`;
    throw new TempoError('context_length_exceeded', sentence, { param: path || undefined });
  }
}

/** What a getter or a proxy gives, or an error that names the field where it throws. */
export function read<T>(get: () => T, path: string, index?: number): T {
  try {
    return get();
  } catch (thrown) {
    if (thrown instanceof TempoError) throw thrown;
    throw refused(index === undefined ? path : `${path}[${index}]`, 'cannot be read', thrown);
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

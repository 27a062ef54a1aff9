/**
 * What Web IDL does with arguments before a method sees them, as far as this API needs it
 * (webidl.spec.whatwg.org#js-type-mapping). All of these throw TypeErrors, and null is taken for
 * undefined: not set.
 */

export type Dictionary = Readonly<Record<string, unknown>>;

export function dictionary(value: unknown, name: string): Dictionary {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value as Dictionary;
  throw new TypeError(`${name} must be an object, not ${typeof value}.`);
}

/** Undefined for what cannot be iterated over; a string counts as that. */
export function sequence(value: unknown): unknown[] | undefined {
  return isObject(value) && Symbol.iterator in value
    ? [...(value as Iterable<unknown>)]
    : undefined;
}

/** Throws for what is set and cannot be iterated over. */
export function optionalSequence(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return [];
  const items = sequence(value);
  if (items === undefined) throw new TypeError(`${name} must be a list.`);
  return items;
}

export function enumeration<T extends string>(
  value: unknown,
  values: readonly T[],
  name: string,
): T {
  const found = values.find((one) => one === String(value));
  if (found === undefined) {
    throw new TypeError(`${name} must be one of ${values.join(', ')}, not "${String(value)}".`);
  }
  return found;
}

export function optionalSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof AbortSignal) return value;
  throw new TypeError('signal must be an AbortSignal.');
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

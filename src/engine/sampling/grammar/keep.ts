/** What is known by a key, now the last that was used. */
export function recall<K, V>(known: Map<K, V>, key: K): V | undefined {
  const value = known.get(key);
  if (value === undefined) return undefined;
  known.delete(key);
  known.set(key, value);
  return value;
}

/** Keeps a value by its key, and only the `most` that were used last. */
export function keep<K, V>(known: Map<K, V>, key: K, value: V, most: number): V {
  known.set(key, value);
  if (known.size > most) {
    const [[oldest]] = known;
    known.delete(oldest);
  }
  return value;
}

/** What is known by a key, or is found now; only the `most` that were used last are kept. */
export function keep<K, V>(known: Map<K, V>, key: K, most: number, find: () => V): V {
  const value = known.get(key) ?? find();
  known.delete(key);
  known.set(key, value);
  if (known.size > most) {
    const [[oldest]] = known;
    known.delete(oldest);
  }
  return value;
}

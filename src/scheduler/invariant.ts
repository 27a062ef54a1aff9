/**
 * What has to hold whatever a caller does: where it does not, the mistake is in here. Throws with the
 * sentence, before anything is built on it.
 */
export function invariant(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(`This should not happen: ${sentence}.`);
}

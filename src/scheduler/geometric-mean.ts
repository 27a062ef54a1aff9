/** The geometric mean of positive numbers; 1 of none. */
export function geometricMean(values: readonly number[]): number {
  const logs = values.reduce((sum, value) => sum + Math.log(value), 0);
  return Math.exp(logs / Math.max(1, values.length));
}

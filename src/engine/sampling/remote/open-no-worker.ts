/** A bundler that takes somebody's own worker apart might not take this one along. */
export function openWorker(): undefined {
  return undefined;
}

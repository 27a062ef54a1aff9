/** Loaded beside a worker. */
import type { TempoHost } from '../worker/protocol';

/** A worker is asked so often whether it is there, ms. */
const BEAT_MS = 2000;

/**
 * Notices a worker that has closed itself, or does not come out of a loop: they tell nobody. It is `dead`
 * after so many beats without an answer as `patience` says; 0 ends it.
 */
export function heartbeat(host: TempoHost, patience: () => number, dead: () => void): void {
  let silent = 0;
  const answered = () => {
    silent = 0;
  };
  const beats = setInterval(() => {
    if (patience() === 0) return clearInterval(beats);
    if (silent > patience()) dead();
    if (silent++ === 0) host.ping().then(answered, answered);
  }, BEAT_MS);
  (beats as { unref?(): void }).unref?.(); // it keeps no Node alive
}

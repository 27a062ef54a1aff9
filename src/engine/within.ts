/** Waits until `work` is over, well or badly, but no longer than `ms`. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), patience]);
  clearTimeout(timer);
}

/** What `work` comes to; rejects with `late` where that takes more than `ms`. */
export function inTime<T>(ms: number, work: Promise<T>, late: () => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const disarm = alarm(ms, () => reject(late()));
    work.then(resolve, reject).finally(disarm);
  });
}

/** Parts of an alarm's time. */
const PARTS = 8;

/**
 * Calls back after `ms` in which the machine was awake: a time asleep, or in a frozen tab, counts as a
 * part of it at most. Returns how to stop it.
 */
export function alarm(ms: number, ring: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (parts: number) => {
    timer = setTimeout(() => (parts > 1 ? wait(parts - 1) : ring()), ms / PARTS);
  };
  wait(PARTS);
  return () => clearTimeout(timer);
}

/**
 * What `work` comes to, or `signal`'s reason once it aborts; `graceMs` after, where `work` is to have
 * a moment to notice by itself.
 */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  graceMs = 0,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    onAbort = () => {
      if (graceMs > 0) timer = setTimeout(stop, graceMs);
      else stop();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}

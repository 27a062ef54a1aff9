import { TempoError } from '../../scheduler';
import { unlessAborted, within } from '../within';

/** After so long what WebLLM has not let go of by itself goes with its device, ms. */
export const UNLOAD_WITHIN_MS = 500;

/** Lets go of what an `MLCEngine` has loaded. */
export async function letGo(
  engine: { unload(): Promise<void> },
  device: GPUDevice | undefined,
): Promise<void> {
  // It waits for the GPU, which may hang.
  await within(UNLOAD_WITHIN_MS, engine.unload());
  // A runtime that broke down cannot let go of its memory; without its device it has none.
  device?.destroy();
}

/** What a cancelled load throws. */
export function aborted(): TempoError {
  return new TempoError('aborted', 'Loading was aborted.');
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted();
}

/** Waits for `work`, but no longer than `signal` allows; then `stop` ends it. */
export async function abortable(
  signal: AbortSignal | undefined,
  work: () => Promise<unknown>,
  stop: () => Promise<void> = async () => {},
): Promise<void> {
  throwIfAborted(signal);
  const working = work();
  if (signal === undefined) return void (await working);
  try {
    await unlessAborted(working, signal);
    throwIfAborted(signal);
  } finally {
    if (signal.aborted) {
      void stop().catch(() => {});
      // WebLLM may finish a load that was aborted; what it has by then is to go too.
      void working
        .catch(() => {})
        .then(stop)
        .catch(() => {});
    }
  }
}

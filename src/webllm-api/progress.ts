import type { LoadProgress, ServerState } from '../client';
import type { InitProgressReport } from './config-types';

/** The states of a load as WebLLM's reports. */
export class ProgressReports {
  readonly #startMs = performance.now();

  /** Undefined where there is nothing to report. */
  of(state: ServerState): InitProgressReport | undefined {
    if (state.phase !== 'loading') return undefined;
    const { fraction } = state.progress;
    const timeElapsed = this.#seconds();
    return { progress: fraction, timeElapsed, text: textOf(state.progress, timeElapsed) };
  }

  /** The last report; `device` is the GPU, in words. */
  finished(device: string): InitProgressReport {
    const timeElapsed = (performance.now() - this.#startMs) / 1000;
    return { progress: 1, timeElapsed, text: `Finish loading on ${device}` };
  }

  /** Whole seconds, as WebLLM counts them while it downloads. */
  #seconds(): number {
    return Math.ceil((performance.now() - this.#startMs) / 1000);
  }
}

/** In WebLLM's words where it has any. Pages look for `[3/24]` and `12% completed` in them. */
function textOf(
  { phase, text, fraction, loadedBytes, parts, fromCache }: LoadProgress,
  seconds: number,
): string {
  const count = parts === undefined ? '' : `[${parts.done}/${parts.total}]`;
  const rest = `${Math.floor(100 * fraction)}% completed, ${seconds} secs elapsed.`;
  if (phase === 'compile') return `Loading GPU shader modules${count}: ${rest}`;
  if (phase !== 'download') return text;
  if (loadedBytes === undefined) return 'Start to fetch params';
  const megabytes = `${Math.ceil(loadedBytes / 2 ** 20)}MB`;
  return fromCache
    ? `Loading model from cache${count}: ${megabytes} loaded. ${rest}`
    : `Fetching param cache${count}: ${megabytes} fetched. ${rest} It can take a while when we first visit this page to populate the cache. Later refreshes will become faster.`;
}

import type { LoadProgress } from '../step-engine';
import { TimeLeft } from './time-left';

/** WebLLM's report: a text for people, and a fraction of the phase it is in. */
export interface WebLlmReport {
  progress: number;
  timeElapsed: number;
  text: string;
}

/** What part of the whole load each phase is, from where to where. */
const SPAN = {
  download: [0, 0.7],
  read: [0.7, 0.8],
  /** Reading, where nothing had to be downloaded. */
  readAll: [0, 0.8],
  compile: [0.8, 0.9],
} as const;

/**
 * WebLLM's reports as ours. Its texts are the only place that tells bytes ("12MB fetched", then "12MB
 * loaded" from the cache) and phases ("GPU shader modules"). The fraction never goes back, though
 * WebLLM's begins anew in each phase. Its times are whole seconds, rounded up, so they are taken here.
 */
export class ReportReader {
  #fraction = 0;
  #downloads = false;
  #timeLeft: TimeLeft | undefined;
  /** What `#timeLeft` is about. */
  #phase = '';
  readonly #now: (() => number) | undefined;

  constructor(now?: () => number) {
    this.#now = now;
  }

  /** A report of our own download, the fraction its own, within the whole load. */
  download(progress: LoadProgress): LoadProgress {
    this.#downloads = true;
    return { ...progress, fraction: this.#within('download', progress.fraction) };
  }

  read({ progress, text }: WebLlmReport): LoadProgress {
    if (/GPU shader|Finish loading/.test(text)) {
      const fraction = this.#within('compile', progress);
      return { phase: 'compile', text: 'Compiling GPU kernels.', fraction, parts: partsOf(text) };
    }
    const amount = /(\d+)MB (fetched|loaded)/.exec(text);
    if (amount === null) {
      return { phase: 'download', text: 'Looking for the model.', fraction: this.#fraction };
    }
    const fromCache = amount[2] === 'loaded';
    this.#downloads ||= !fromCache;
    const loadedBytes = Number(amount[1]) * 2 ** 20;
    const known = progress > 0;
    return {
      phase: 'download',
      text: fromCache ? 'Loading the model from the cache.' : 'Downloading the model.',
      fraction: this.#within(
        fromCache ? (this.#downloads ? 'read' : 'readAll') : 'download',
        progress,
      ),
      loadedBytes,
      totalBytes: known ? Math.round(loadedBytes / progress) : undefined,
      parts: partsOf(text),
      fromCache,
      remainingMs: this.#remainingMs(amount[2], progress),
    };
  }

  #remainingMs(phase: string, progress: number): number | undefined {
    if (this.#phase !== phase) this.#timeLeft = new TimeLeft(this.#now);
    this.#phase = phase;
    return this.#timeLeft?.after(progress, 1);
  }

  #within(phase: keyof typeof SPAN, progress: number): number {
    const [start, end] = SPAN[phase];
    const fraction = start + (end - start) * Math.min(1, Math.max(0, progress || 0));
    this.#fraction = Math.max(this.#fraction, fraction);
    return this.#fraction;
  }
}

/** Of "[3/24]". */
function partsOf(text: string): LoadProgress['parts'] {
  const [, done, total] = /\[(\d+)\/(\d+)\]/.exec(text) ?? [];
  return total === undefined ? undefined : { done: Number(done), total: Number(total) };
}

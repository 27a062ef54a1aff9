import type { LoadProgress } from '../step-engine';

/** WebLLM's report: a text for people, and a fraction of the phase it is in. */
export interface WebLlmReport {
  progress: number;
  timeElapsed: number;
  text: string;
}

/** What part of the whole load each phase is, from where to where. */
const SPAN = { download: [0, 0.8], compile: [0.8, 0.9] } as const;

/**
 * WebLLM's report as ours. Its texts are the only place that tells bytes ("12MB fetched", "12MB
 * loaded" from the cache) and phases ("GPU shader modules").
 */
export function readReport({ progress, timeElapsed, text }: WebLlmReport): LoadProgress {
  if (/GPU shader/.test(text)) {
    return {
      phase: 'compile',
      text: 'Compiling GPU kernels.',
      fraction: within('compile', progress),
    };
  }
  const amount = /(\d+)MB (fetched|loaded)/.exec(text);
  const fraction = within('download', progress);
  if (amount === null) return { phase: 'download', text: 'Looking for the model.', fraction };
  const loadedBytes = Number(amount[1]) * 2 ** 20;
  const fromCache = amount[2] === 'loaded';
  const totalBytes = progress > 0 ? Math.round(loadedBytes / progress) : undefined;
  return {
    phase: 'download',
    text: fromCache ? 'Loading the model from the cache.' : 'Downloading the model.',
    fraction,
    loadedBytes,
    totalBytes,
    fromCache,
    remainingMs:
      progress > 0 && timeElapsed > 0
        ? Math.round((timeElapsed * 1000 * (1 - progress)) / progress)
        : undefined,
  };
}

function within(phase: keyof typeof SPAN, progress: number): number {
  const [start, end] = SPAN[phase];
  return start + (end - start) * Math.min(1, Math.max(0, progress || 0));
}

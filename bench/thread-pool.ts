import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { TempoError } from '../src/scheduler';
import type { ThreadMessage } from './thread';

/** Hears of jobs as they are done; `slot` is the thread's number. */
export interface PoolWatcher<Job, Result> {
  started?(job: Job, slot: number): void;
  /** `share`: how much of the job under way is done, 0 to 1. */
  progress?(slot: number, share: number): void;
  done?(job: Job, slot: number, result: Result): void;
}

/**
 * Does `jobs`, plain data, on `threads` threads, in order. `entry`: the thread's program, a file of
 * this folder that calls `serveJobs` of `./thread`. Rejects on the first job that fails.
 */
export async function runJobs<Job, Result>(
  entry: string,
  jobs: readonly Job[],
  threads: number,
  watch: PoolWatcher<Job, Result> = {},
): Promise<Result[]> {
  const results: Result[] = Array(jobs.length);
  const code = await (codes.get(entry) ?? threadCode(entry));
  codes.set(entry, code);
  let next = 0;
  const serve = async (slot: number) => {
    const worker = new Worker(code, { eval: true });
    try {
      while (next < jobs.length) {
        const at = next++;
        watch.started?.(jobs[at], slot);
        const progress = (share: number) => watch.progress?.(slot, share);
        results[at] = await ask<Job, Result>(worker, jobs[at], progress);
        watch.done?.(jobs[at], slot, results[at]);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, (_, i) => serve(i)));
  return results;
}

/** Programs that were built already, by their entries. */
const codes = new Map<string, string>();

/** The thread's program as plain JavaScript: a thread has no loader for TypeScript. */
async function threadCode(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    platform: 'node',
    target: 'node20',
    write: false,
  });
  return outputFiles[0].text;
}

function ask<Job, Result>(
  worker: Worker,
  job: Job,
  onProgress: (share: number) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      end();
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onMessage = (message: ThreadMessage<Result>) => {
      if ('progress' in message) onProgress(message.progress);
      else if ('result' in message) settle(() => resolve(message.result));
      else settle(() => reject(TempoError.fromJSON(message.error)));
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(job);
  });
}

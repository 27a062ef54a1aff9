import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { LabResult } from '../src/lab';
import { TempoError, type TempoErrorJson } from '../src/scheduler';
import type { LabJob } from './lab-job';

type Message = { progress: number } | { result: LabResult | number } | { error: TempoErrorJson };

export interface PoolWatcher {
  started(job: LabJob, slot: number): void;
  progress(slot: number, share: number): void;
  done(job: LabJob, slot: number, result: LabResult | number): void;
}

/** Does `jobs` on `threads` threads, in order. Rejects on the first that fails. */
export async function runJobs(
  jobs: readonly LabJob[],
  threads: number,
  watch: PoolWatcher,
): Promise<(LabResult | number)[]> {
  const results: (LabResult | number)[] = Array(jobs.length);
  const code = await threadCode();
  let next = 0;
  const serve = async (slot: number) => {
    const worker = new Worker(code, { eval: true });
    try {
      while (next < jobs.length) {
        const at = next++;
        watch.started(jobs[at], slot);
        results[at] = await ask(worker, jobs[at], (share) => watch.progress(slot, share));
        watch.done(jobs[at], slot, results[at]);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, (_, i) => serve(i)));
  return results;
}

/** The thread's program as plain JavaScript: a thread has no loader for TypeScript. */
async function threadCode(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./lab-thread.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    target: 'node20',
    write: false,
  });
  return outputFiles[0].text;
}

function ask(
  worker: Worker,
  job: LabJob,
  onProgress: (share: number) => void,
): Promise<LabResult | number> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      end();
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onMessage = (message: Message) => {
      if ('progress' in message) onProgress(message.progress);
      else if ('result' in message) settle(() => resolve(message.result));
      else settle(() => reject(TempoError.fromJSON(message.error)));
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(job);
  });
}

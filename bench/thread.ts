import { parentPort } from 'node:worker_threads';
import { TempoError, type TempoErrorJson } from '../src/scheduler';

/** What a thread says of the job it has. */
export type ThreadMessage<Result> =
  | { progress: number }
  | { result: Result }
  | { error: TempoErrorJson };

/** In a thread: does every job it is sent, one after another. */
export function serveJobs<Job, Result>(
  work: (job: Job, onProgress: (share: number) => void) => Promise<Result>,
): void {
  const send = (message: ThreadMessage<Result>) => parentPort?.postMessage(message);
  parentPort?.on('message', async (job: Job) => {
    try {
      send({ result: await work(job, (progress) => send({ progress })) });
    } catch (thrown) {
      send({ error: TempoError.from(thrown).toJSON() });
    }
  });
}

/** A thread that does lab jobs, one after another. */
import { parentPort } from 'node:worker_threads';
import { TempoError } from '../src/scheduler';
import { type LabJob, runJob } from './lab-job';

parentPort?.on('message', async (job: LabJob) => {
  try {
    const onProgress = (progress: number) => parentPort?.postMessage({ progress });
    parentPort?.postMessage({ result: await runJob(job, onProgress) });
  } catch (thrown) {
    parentPort?.postMessage({ error: TempoError.from(thrown).toJSON() });
  }
});

/** A thread that does lab jobs, one after another. */
import { runJob } from './lab-job';
import { serveJobs } from './thread';

serveJobs(runJob);

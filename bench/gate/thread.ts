/** A thread that replays cells, one after another. */
import { serveJobs } from '../thread';
import { runGateJob } from './run';

serveJobs(runGateJob);

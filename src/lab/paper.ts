import { DEVICE_PROFILES, type DeviceProfile } from '../engine/simulated';
import { type Random, seededRandom } from '../scheduler';
import { type ArrivalPattern, arrivalTimes } from './arrivals';
import { CHAT, drawLengths } from './lengths';
import { type BaseSlo, classAt, EQUAL_THIRDS, type Mix, PAPER_SLO, sloOf } from './objectives';
import { deepResearch } from './programs';
import { atLoad } from './work';
import { type Arrival, requestCount, type Workload } from './workload';

export interface PaperOptions {
  /** Requests in all, the members of programs counted one by one. */
  requests: number;
  /** 1 is the rate whose work just fills the engine. */
  load: number;
  seed: number;
  /** Shares among arrivals (a program is one arrival). */
  mix?: Mix;
  slo?: BaseSlo;
  pattern?: ArrivalPattern;
  profile?: DeviceProfile;
}

/** Most tokens that a chat request asks for. */
const CHAT_MAX_TOKENS = 1024;

/**
 * The published artifact's setting (arXiv 2504.20068, section 6; JITServe artifact): latency and
 * deadline requests with chat lengths, deep-research programs, the base objective scaled by 1 to 4
 * across arrivals, 32-sequence batches on an 8B-class server. A program's deadline is TTLT for each
 * of its stages.
 */
export function paperWorkload(options: PaperOptions): Workload {
  const { mix = EQUAL_THIRDS, slo = PAPER_SLO, profile = DEVICE_PROFILES['server-8b'] } = options;
  const random = seededRandom(options.seed);
  const drafts: Arrival[] = [];
  for (let left = options.requests; left > 0; ) {
    const arrival = draw(drafts.length, mix, slo, random);
    drafts.push(arrival);
    left -= requestCount([arrival]);
  }
  const times = arrivalTimes(drafts.length, options.pattern ?? { kind: 'poisson' }, random);
  const arrivals = drafts.map((arrival, i) => ({ ...arrival, atMs: times[i] }));
  return { name: 'paper', profile, arrivals: atLoad(arrivals, profile, options.load) };
}

function draw(index: number, mix: Mix, base: BaseSlo, random: Random): Arrival {
  const name = classAt(mix, random());
  const scale = 1 + Math.floor(4 * random());
  if (name === 'program') {
    const stages = deepResearch(random);
    const deadlineMs = base.ttlt * scale * stages.length;
    return { kind: 'program', id: `p${index}`, app: 'research', atMs: 0, deadlineMs, stages };
  }
  const call = { ...drawLengths(CHAT, random), stage: 'answer', maxTokens: CHAT_MAX_TOKENS };
  const slo = sloOf(name, base, scale);
  return { kind: 'request', id: `r${index}`, app: APPS[name], atMs: 0, slo, call };
}

const APPS = { latency: 'chat', deadline: 'tool', 'best-effort': 'background' };

import { DEVICE_PROFILES, type DeviceProfile } from '../../src/engine/simulated';
import {
  type ArrivalPattern,
  agentWorkload,
  type FloodOptions,
  floodWorkload,
  type PageOptions,
  type PaperOptions,
  pageWorkload,
  paperWorkload,
  reasoningWorkload,
  type TraceOptions,
  type Workload,
} from '../../src/lab';
import type { EngineCapabilities } from '../../src/scheduler';

/** One situation that the gate measures, by as many seeds as it takes to tell a rule from luck. */
export interface Cell {
  name: string;
  seeds: readonly number[];
  workload(seed: number): Workload;
  capabilities?: Partial<EngineCapabilities>;
  /** What counts: the gain as a share of its bound, or the flooded app's turns that were in time. */
  measure: 'gain' | 'flooded';
}

const THREE = [1, 2, 3];
const TWO = [1, 2];
const {
  'integrated-gpu': integrated,
  'laptop-gpu': laptop,
  'desktop-gpu': desktop,
  'server-8b': server,
} = DEVICE_PROFILES;

/** An engine whose steps hold prompts or decodes, never both: older model libraries. */
const UNMIXED = { mixedSteps: false };
const BURSTS: ArrivalPattern = { kind: 'bursty', variation: 4 };

type Options<T> = Partial<T> & { load: number };

function paper(name: string, options: Options<PaperOptions>, seeds = TWO): Cell {
  return {
    name: `${name}, load ${options.load}`,
    seeds,
    workload: (seed) => paperWorkload({ requests: 1000, ...options, seed }),
    measure: 'gain',
  };
}

function page(name: string, options: Options<PageOptions>, seeds = TWO): Cell {
  return {
    name: `${name}, load ${options.load}`,
    seeds,
    workload: (seed) => pageWorkload({ requests: 500, ...options, seed }),
    measure: 'gain',
  };
}

function agents(name: string, options: Options<TraceOptions>): Cell {
  return {
    name: `${name}, load ${options.load}`,
    seeds: TWO,
    workload: (seed) => agentWorkload({ requests: 800, ...options, seed }),
    measure: 'gain',
  };
}

function reasoning(name: string, options: Options<TraceOptions>): Cell {
  return {
    name: `${name}, load ${options.load}`,
    seeds: TWO,
    workload: (seed) => reasoningWorkload({ requests: 200, ...options, seed }),
    measure: 'gain',
  };
}

function flood(name: string, options: Omit<FloodOptions, 'seed'>): Cell {
  return {
    name: `flood of ${name}`,
    seeds: [1],
    workload: (seed) => floodWorkload({ ...options, seed }),
    measure: 'flooded',
  };
}

/** The device with so many KV pages. */
function withPages(profile: DeviceProfile, totalPages: number): DeviceProfile {
  return { ...profile, totalPages };
}

const HOUR = 3_600_000;

export const CELLS: readonly Cell[] = [
  paper('paper', { load: 0.5, requests: 500 }),
  paper('paper', { load: 1, requests: 1500 }, THREE),
  paper('paper', { load: 2, requests: 1500 }, THREE),
  paper('paper', { load: 3, requests: 1500 }, THREE),
  ...[1, 2, 3].map((load) => page('page on an integrated GPU', { load, profile: integrated })),
  ...[2, 3].map((load) => page('page on a laptop', { load, profile: laptop })),
  ...[3, 4].map((load) => page('page on a desktop', { load, profile: desktop })),
  ...[1, 2].map((load) => ({ ...paper('paper, unmixed steps', { load }), capabilities: UNMIXED })),
  ...[2, 3].map((load) => ({ ...page('page, unmixed steps', { load }), capabilities: UNMIXED })),
  ...[1, 2].map((load) => page('page, small memory', { load, profile: withPages(laptop, 384) })),
  paper('paper, small memory', { load: 2, profile: withPages(server, 2000) }),
  paper('paper, bursts', { load: 1, pattern: BURSTS }),
  page('page, bursts', { load: 2, pattern: BURSTS }),
  ...[3, 5].map((load) => page('page, much in the background', { load, mix: [3, 1, 1, 6] })),
  ...[2, 3].map((load) => agents('agents', { load })),
  { ...agents('agents, unmixed steps', { load: 2 }), capabilities: UNMIXED },
  agents('agents, small memory', { load: 2, profile: withPages(server, 4000) }),
  ...[0.5, 1, 2].map((load) => reasoning('reasoning', { load })),
  reasoning('reasoning, bursts', { load: 1, pattern: BURSTS }),
  flood('300 due in an hour', { count: 300, slo: { class: 'deadline', ttlt: HOUR } }),
  flood('300 due in an hour, same app', {
    count: 300,
    slo: { class: 'deadline', ttlt: HOUR },
    app: 'chat',
  }),
  flood('10,000 due in a day', { count: 10_000, slo: { class: 'deadline', ttlt: 24 * HOUR } }),
  flood('10,000 streams due in an hour', {
    count: 10_000,
    slo: { class: 'latency', ttft: HOUR, tbt: 1000 },
  }),
  flood('3,000 programs due in an hour', {
    count: 3000,
    slo: { class: 'program', deadlineMs: HOUR },
  }),
  flood('5,000 due in 10 s', { count: 5000, slo: { class: 'deadline', ttlt: 10_000 } }),
  flood('5,000 streams', { count: 5000, slo: { class: 'latency', ttft: 2000, tbt: 100 } }),
  flood('5,000 without a deadline', { count: 5000, slo: { class: 'best-effort' } }),
];

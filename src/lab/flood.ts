import { DEVICE_PROFILES, type DeviceProfile } from '../engine/simulated';
import { type Random, type Slo, seededRandom } from '../scheduler';
import { drawQuantile } from './distribution';
import { CHAT } from './lengths';
import type { Arrival, Workload } from './workload';

/** What is there all at once, and what it asks for. */
export interface FloodOptions {
  /** Requests (or programs of one call) that arrive together. */
  count: number;
  /** Their objective; of class `program`: their deadline, ms. */
  slo: Exclude<Slo, { class: 'program' }> | { class: 'program'; deadlineMs: number };
  /** Who sends them. Default: another app than the chat. */
  app?: string;
  seed: number;
  profile?: DeviceProfile;
}

/** The app whose turns come one by one. */
export const FLOODED = 'chat';
/** Turns of the chat, and the time between two, ms. */
const TURNS = 20;
const EVERY_MS = 3000;
/** What the chat asks for. */
const TURN_SLO: Slo = { class: 'latency', ttft: 800, tbt: 150 };

/** A flood of requests from one app, and then a chat turn every three seconds, which is to be in time whatever the flood. */
export function floodWorkload(options: FloodOptions): Workload {
  const { count, slo, app = 'flood', profile = DEVICE_PROFILES['laptop-gpu'] } = options;
  const random = seededRandom(options.seed);
  const arrivals: Arrival[] = [];
  for (let i = 0; i < count; i++) {
    const call = { stage: 'flood', ...lengths(random, 100), maxTokens: 512 };
    if (slo.class !== 'program') {
      arrivals.push({ kind: 'request', id: `f${i}`, app, atMs: 0, slo, call });
      continue;
    }
    const stages = [{ calls: [call], thinkMs: 0 }];
    arrivals.push({
      kind: 'program',
      id: `f${i}`,
      app,
      atMs: 0,
      deadlineMs: slo.deadlineMs,
      stages,
    });
  }
  for (let i = 0; i < TURNS; i++) {
    const call = { stage: 'turn', ...lengths(random, 400), maxTokens: 512 };
    const atMs = (i + 1) * EVERY_MS;
    arrivals.push({ kind: 'request', id: `c${i}`, app: FLOODED, atMs, slo: TURN_SLO, call });
  }
  return { name: 'flood', profile, arrivals };
}

function lengths(random: Random, prompt: number) {
  const outputTokens = Math.min(256, drawQuantile(CHAT.output, random));
  return { promptTokens: Math.round(prompt * (0.5 + random())), outputTokens };
}

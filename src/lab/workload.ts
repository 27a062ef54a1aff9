import type { DeviceProfile } from '../engine/simulated';
import type { Slo, SloClass } from '../scheduler';
import type { Passage } from './passage';

/** One request to come, with the answer's length, which no policy but the clairvoyant one may see. */
export interface Call {
  /** What for, within the app. */
  stage: string;
  promptTokens: number;
  outputTokens: number;
  maxTokens: number;
  /** The passages that its prompt begins with: what other prompts may begin with, too. */
  prefix?: readonly Passage[];
  /** Number of its answer's first token, where a later prompt goes on from the answer; see `Passage`. */
  answerFrom?: number;
}

/** Parallel calls of a program; the stage begins when the one before has ended. */
export interface Stage {
  calls: readonly Call[];
  /** Time that the program itself takes before it asks (tools, searches), ms. */
  thinkMs: number;
}

/** A request on its own. */
export interface SingleArrival {
  kind: 'request';
  id: string;
  app: string;
  /** ms */
  atMs: number;
  slo: Slo;
  call: Call;
  /** It is withdrawn when it has waited so long for a token, the first or the next, ms. Default: never. */
  patienceMs?: number;
}

/** A program: its later calls arrive as the earlier ones end. */
export interface ProgramArrival {
  kind: 'program';
  id: string;
  app: string;
  /** ms */
  atMs: number;
  /** For the whole, ms from `atMs`. */
  deadlineMs: number;
  stages: readonly Stage[];
  /** It is withdrawn with all its calls when it has not ended by then, ms from `atMs`. Default: never. */
  patienceMs?: number;
}

export type Arrival = SingleArrival | ProgramArrival;

/** What is asked of the engine, and when. */
export interface Workload {
  name: string;
  /** The device it is meant for. */
  profile: DeviceProfile;
  /** In order of time. */
  arrivals: readonly Arrival[];
}

/** All calls of an arrival. */
export function callsOf(arrival: Arrival): readonly Call[] {
  return arrival.kind === 'request' ? [arrival.call] : arrival.stages.flatMap((s) => s.calls);
}

export function classOf(arrival: Arrival): SloClass {
  return arrival.kind === 'request' ? arrival.slo.class : 'program';
}

/** Requests in the workload, members of programs counted one by one. */
export function requestCount(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((sum, arrival) => sum + callsOf(arrival).length, 0);
}

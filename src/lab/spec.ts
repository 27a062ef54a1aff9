import { DEVICE_PROFILES, isDeviceProfileName } from '../engine/simulated';
import { TempoError } from '../scheduler';
import { agentWorkload } from './agents';
import type { ArrivalPattern } from './arrivals';
import type { BaseSlo, Mix } from './objectives';
import { pageWorkload } from './page';
import { paperWorkload } from './paper';
import { reasoningWorkload } from './reasoning';
import { traceWorkload } from './trace-workload';
import type { Trace } from './traces';
import type { Workload } from './workload';

/** Which workload, in plain data: what a worker needs to make it again. */
export interface WorkloadSpec {
  /** One of `WORKLOAD_NAMES`, or a trace's name. */
  name: string;
  requests: number;
  load: number;
  seed: number;
  mix?: Mix;
  slo?: BaseSlo;
  pattern?: ArrivalPattern;
  /** A device profile's name. */
  profile?: string;
}

/** The workloads that need no file. */
const WORKLOADS = {
  paper: paperWorkload,
  page: pageWorkload,
  agents: agentWorkload,
  reasoning: reasoningWorkload,
};

export const WORKLOAD_NAMES: readonly string[] = Object.keys(WORKLOADS);

function isWorkloadName(name: string): name is keyof typeof WORKLOADS {
  return Object.hasOwn(WORKLOADS, name);
}

/** Makes the workload: of `trace`, or one of `WORKLOAD_NAMES`. Throws `unknown_model` for a profile that does not exist. */
export function makeWorkload(
  { name, profile: device, ...options }: WorkloadSpec,
  trace?: Trace,
): Workload {
  if (device !== undefined && !isDeviceProfileName(device)) {
    const names = Object.keys(DEVICE_PROFILES).join(', ');
    throw new TempoError(
      'unknown_model',
      `There is no device profile "${device}". Use one of ${names}.`,
      { param: 'profile' },
    );
  }
  const full = { ...options, profile: device === undefined ? undefined : DEVICE_PROFILES[device] };
  if (trace !== undefined) return traceWorkload(trace, name, full);
  if (isWorkloadName(name)) return WORKLOADS[name](full);
  throw new TempoError(
    'invalid_request',
    `There is no workload "${name}". Use ${WORKLOAD_NAMES.join(', ')} or trace:FILE.`,
    { param: 'workload' },
  );
}

import { DEVICE_PROFILES, isDeviceProfileName } from '../engine/simulated';
import { TempoError } from '../scheduler';
import type { ArrivalPattern } from './arrivals';
import type { BaseSlo, Mix } from './objectives';
import { pageWorkload } from './page';
import { paperWorkload } from './paper';
import { traceWorkload } from './trace-workload';
import type { Trace } from './traces';
import type { Workload } from './workload';

/** Which workload, in plain data: what a worker needs to make it again. */
export interface WorkloadSpec {
  /** `paper`, `page`, or a trace's name. */
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

/** Makes the workload; `trace` for any but `paper` and `page`. Throws `unknown_model` for a profile that does not exist. */
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
  if (name === 'paper') return paperWorkload(full);
  if (name === 'page') return pageWorkload(full);
  throw new TempoError(
    'invalid_request',
    `There is no workload "${name}". Use paper, page or trace:FILE.`,
    { param: 'workload' },
  );
}

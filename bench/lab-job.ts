import { readFileSync } from 'node:fs';
import {
  fluidBound,
  type LabResult,
  labRun,
  makeWorkload,
  parseTrace,
  type Trace,
  type Workload,
  type WorkloadSpec,
} from '../src/lab';
import { type GainConfig, TempoError } from '../src/scheduler';

/** One replay, or one bound, in plain data, so that any thread can do it. */
export interface LabJob {
  spec: WorkloadSpec;
  /** The file of a trace workload. */
  file?: string;
  /** Tokens of a block of its `hash_ids`. */
  blockTokens?: number;
  /** A policy or a variant; absent: the bound is wanted. */
  policy?: string;
  gain?: Partial<GainConfig>;
}

const traces = new Map<string, Trace>();
let last: { key: string; workload: Workload } | undefined;

/** A job's result; `bound` jobs give the bound alone. Keeps the last trace and workload for the next job. */
export async function runJob(
  { spec, file, blockTokens, policy, gain }: LabJob,
  onProgress?: (share: number) => void,
): Promise<LabResult | number> {
  const key = JSON.stringify([spec, file]);
  if (last?.key !== key) {
    const trace = file === undefined ? undefined : readTrace(file, blockTokens);
    last = { key, workload: makeWorkload(spec, trace) };
  }
  const { workload } = last;
  if (policy === undefined) return fluidBound(workload, gain);
  const { load, seed } = spec;
  const wall = () => performance.now();
  return labRun(workload, { policy, load, seed, gain, bound: Number.NaN, wall, onProgress });
}

/** Throws `invalid_request` for a file that cannot be read, or not whole. */
export function readTrace(file: string, blockTokens?: number): Trace {
  let trace = traces.get(file);
  if (trace === undefined) {
    trace = parseTrace(readText(file), file, { blockTokens });
    traces.set(file, trace);
  }
  return trace;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TempoError('invalid_request', `${file} cannot be read: ${message}`, {
      param: 'workload',
    });
  }
}

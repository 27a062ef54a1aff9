import { accessSync, constants, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';
import { DEVICE_PROFILES, isDeviceProfileName } from '../src/engine/simulated';
import {
  type LabResult,
  type LabRun,
  type RunDetails,
  tooLong,
  type WorkloadSpec,
} from '../src/lab';
import { TempoError } from '../src/scheduler';
import { LAB_USAGE, type LabArguments, parseLabArguments } from './arguments';
import { type LabJob, readTrace } from './lab-job';
import { labTable } from './lab-table';
import { ProgressLine } from './progress-line';
import { runJobs } from './thread-pool';

/** What `--json` writes. */
export interface LabFile {
  /** The command's flags. */
  settings: LabArguments;
  runs: LabRun[];
  /** Beside each run, in the same order: what its table has no room for. */
  details: RunDetails[];
}

/** `npm run bench -- lab …`: replays workloads through policies and prints who wins. */
export async function run(args: string[]): Promise<void> {
  if (args.includes('--help')) {
    console.log(LAB_USAGE);
    return;
  }
  try {
    const settings = parseLabArguments(args);
    if (settings.json !== undefined) checkWritable(settings.json);
    const file = await lab(settings);
    if (settings.json !== undefined) {
      writeFileSync(settings.json, `${JSON.stringify(file, null, 1)}\n`);
      console.error(`Wrote ${settings.json}.`);
    }
  } catch (thrown) {
    // What the caller got wrong is a sentence, not a stack.
    if (!(thrown instanceof TempoError) || thrown.status >= 500) throw thrown;
    console.error(thrown.message);
    process.exitCode = 1;
  }
}

/** Fails before the work is done rather than after. */
function checkWritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch {
    throw new TempoError('invalid_request', `${file} cannot be written.`, { param: 'json' });
  }
}

/** Runs it all, prints the tables, and returns the figures. */
export async function lab(settings: LabArguments): Promise<LabFile> {
  if (settings.trace) noteLeftOut(settings);
  const startMs = performance.now();
  const specs = settings.seeds.flatMap((seed) =>
    settings.loads.map((load) => specOf(settings, load, seed)),
  );
  const jobs = specs.flatMap((spec) => jobsOf(spec, settings));
  const threads = settings.threads ?? Math.min(4, availableParallelism());
  const progress = new ProgressLine(jobs.length);
  const results = await runJobs<LabJob, LabResult | number>('./lab-thread.ts', jobs, threads, {
    started: (job, slot) => progress.started(slot, labelOf(job)),
    progress: (slot, share) => progress.progress(slot, share),
    done: (job, slot, result) => progress.done(slot, summaryOf(job, result)),
  });
  progress.end();

  const file: LabFile = { settings, runs: [], details: [] };
  const each = settings.policies.length + 1;
  for (const [i, { name, load, seed }] of specs.entries()) {
    const [bound, ...rest] = results.slice(i * each, (i + 1) * each);
    const runs: LabRun[] = [];
    for (const result of rest) {
      if (typeof result === 'number' || typeof bound !== 'number') continue;
      runs.push({ ...result.run, bound });
      file.details.push(result.details);
    }
    file.runs.push(...runs);
    console.log(
      `\n${name}, load ${load}, seed ${seed}: bound ${Math.round(Number(bound)).toLocaleString('en')}`,
    );
    console.log(labTable(runs));
  }
  const wall = ((performance.now() - startMs) / 1000).toFixed(1);
  console.error(`\n${file.runs.length} replays in ${wall} s on ${threads} threads.`);
  return file;
}

function specOf(settings: LabArguments, load: number, seed: number): WorkloadSpec {
  const { requests, mix, slo, pattern, profile } = settings;
  const name = settings.trace ? basename(settings.workload) : settings.workload;
  return { name, requests, load, seed, mix, slo, pattern, profile };
}

/** The bound first, then every policy. */
function jobsOf(spec: WorkloadSpec, settings: LabArguments): LabJob[] {
  const file = settings.trace ? settings.workload : undefined;
  const { blockTokens } = settings;
  const gain = settings.alpha === undefined ? undefined : { alpha: settings.alpha };
  const policies = [undefined, ...settings.policies];
  return policies.map((policy) => ({ spec, file, blockTokens, policy, gain }));
}

function labelOf({ spec, policy }: LabJob): string {
  return `${policy ?? 'bound'} at load ${spec.load}`;
}

function summaryOf(job: LabJob, result: LabResult | number): string {
  const gain = typeof result === 'number' ? result : result.run.gain;
  const wall = typeof result === 'number' ? '' : `, ${(result.run.wallMs / 1000).toFixed(1)} s`;
  return `${labelOf(job)}: gain ${Math.round(gain).toLocaleString('en')}${wall}`;
}

/** Says what of the trace is left out: no output, or too long for the device. Throws if it cannot be read. */
function noteLeftOut({ workload, profile = 'server-8b', blockTokens }: LabArguments): void {
  const trace = readTrace(workload, blockTokens);
  const { withoutOutput = 0 } = trace;
  if (withoutOutput > 0) {
    console.error(`${withoutOutput} requests of ${workload} have no output and are left out.`);
  }
  if (!isDeviceProfileName(profile)) return;
  const device = DEVICE_PROFILES[profile];
  const left = tooLong(trace, device);
  if (left === 0) return;
  console.error(
    `${left} requests of ${workload} are longer than the ${device.contextWindow} tokens of ${profile} and left out.`,
  );
}

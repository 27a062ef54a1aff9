import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createVariant, type LabResult } from '../src/lab';
import { POLICY_NAMES, TempoError } from '../src/scheduler';
import { type LabJob, readTrace } from './lab-job';
import {
  HALF_ORACLES,
  type MatrixFile,
  type MatrixReplay,
  matrixCells,
  matrixTables,
  OF_ORACLE,
  ORACLE,
} from './lab-matrix-table';
import { ProgressLine } from './progress-line';
import { runJobs } from './thread-pool';

/** A workload on a device, as a row of the table. */
interface Row {
  name: string;
  workload: string;
  /** The file of a trace. */
  file?: string;
  profile?: string;
  /** Members of programs counted one by one: enough that the loads are reached. */
  requests: number;
}

const ROWS: readonly Row[] = [
  { name: 'paper', workload: 'paper', requests: 1500 },
  ...['integrated-gpu', 'laptop-gpu', 'desktop-gpu'].map((profile) => ({
    name: `page on ${profile}`,
    workload: 'page',
    profile,
    requests: 500,
  })),
  { name: 'agents', workload: 'agents', requests: 800 },
  { name: 'reasoning', workload: 'reasoning', requests: 200 },
];
const TRACE_REQUESTS = 500;

const USAGE = `npm run bench -- matrix [flags]
  --rows A|B            only the rows whose name contains A or B (${ROWS.map(({ name }) => name).join(', ')}, and the traces)
  --traces FILE,FILE    traces, a row each, on server-8b
  --load 0.5,1,2,3      (these)
  --seed N[,N]          (1,2,3,4)
  --policies a,b|all    whom tempo is compared with (all others)
  --requests N          in every row (${ROWS.map(({ name, requests }) => `${name} ${requests}`).join(', ')}, traces ${TRACE_REQUESTS})
  --json FILE           keeps every replay there, and takes from there what was done before
  --again a,b           replays these policies anew, whatever the file has of them ("tempo" is its oracles, too)
  --halves always       asks the half-oracles in every cell, not only where tempo is below its aim
  --minutes N           begins nothing new after so long; the same command goes on from there
  --threads N           (as many as there are cores, at most 4)`;

/** `npm run bench -- matrix`: tempo beside the best of the others and beside its oracle, workload by workload, load by load. */
export async function run(args: string[]): Promise<void> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return;
  }
  try {
    await matrix(parse(args));
  } catch (thrown) {
    if (!(thrown instanceof TempoError) || thrown.status >= 500) throw thrown;
    console.error(thrown.message);
    process.exitCode = 1;
  }
}

interface MatrixArguments {
  rows: Row[];
  loads: number[];
  seeds: number[];
  rivals: string[];
  again: string[];
  untilMs: number;
  threads: number;
  json?: string;
  /** The half-oracles are asked in every cell. */
  asksHalves: boolean;
}

function parse(args: string[]): MatrixArguments {
  const text = { type: 'string' } as const;
  const names = ['rows', 'traces', 'load', 'seed', 'policies', 'requests', 'json'];
  const more = ['again', 'halves', 'minutes', 'threads'];
  const options = Object.fromEntries([...names, ...more].map((name) => [name, text]));
  let values: Record<string, string | undefined>;
  try {
    values = parseArgs({ args, options, strict: true }).values;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TempoError('invalid_request', `${message}\n\n${USAGE}`);
  }
  const traces = (values.traces?.split(',') ?? []).map(
    (file): Row => ({
      name: basename(file),
      workload: basename(file),
      file,
      requests: TRACE_REQUESTS,
    }),
  );
  // Fails now rather than after an hour.
  for (const { file } of traces) if (file !== undefined) readTrace(file);
  const parts = (values.rows ?? '').split('|');
  const requests = counts(values.requests, 'requests')?.[0];
  const rows = [...ROWS, ...traces]
    .filter(({ name }) => parts.some((part) => name.includes(part)))
    .map((row) => ({ ...row, requests: requests ?? row.requests }));
  if (rows.length === 0) {
    throw new TempoError('invalid_request', `No row is called "${values.rows}".\n\n${USAGE}`);
  }
  const { policies = 'all' } = values;
  const rivals = (policies === 'all' ? POLICY_NAMES : policies.split(',')).filter(
    (name) => name !== 'tempo' && name !== ORACLE,
  );
  const again = values.again?.split(',') ?? [];
  for (const name of [...rivals, ...again]) createVariant(name);
  if (values.halves !== undefined && values.halves !== 'always') {
    throw new TempoError('invalid_request', `--halves cannot be "${values.halves}".\n\n${USAGE}`);
  }
  const minutes = positive(values.minutes, 'minutes')?.[0] ?? Number.POSITIVE_INFINITY;
  return {
    rows,
    loads: positive(values.load, 'load') ?? [0.5, 1, 2, 3],
    seeds: counts(values.seed, 'seed') ?? [1, 2, 3, 4],
    rivals,
    again: again.includes('tempo') ? [...again, ORACLE, ...HALF_ORACLES] : again,
    untilMs: performance.now() + 60_000 * minutes,
    threads: counts(values.threads, 'threads')?.[0] ?? Math.min(4, availableParallelism()),
    json: values.json,
    asksHalves: values.halves === 'always',
  };
}

function positive(text: string | undefined, flag: string): number[] | undefined {
  if (text === undefined) return undefined;
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.every((value) => value > 0 && Number.isFinite(value))) return values;
  throw new TempoError('invalid_request', `--${flag} cannot be "${text}".\n\n${USAGE}`);
}

function counts(text: string | undefined, flag: string): number[] | undefined {
  const values = positive(text, flag);
  if (values?.every(Number.isSafeInteger) ?? true) return values;
  throw new TempoError('invalid_request', `--${flag} cannot be "${text}".\n\n${USAGE}`);
}

/** Replays that are known, by what was replayed. */
type Done = Map<string, MatrixReplay>;

/** Replays what is missing, and prints what there is of all that was asked for. */
async function matrix(settings: MatrixArguments): Promise<void> {
  const { rows, loads, again, json } = settings;
  const known = json === undefined ? [] : readReplays(json);
  const done: Done = new Map(
    known.filter(({ policy }) => !again.includes(policy)).map((replay) => [keyOf(replay), replay]),
  );
  if (!(await replayCells(done, settings))) {
    console.error('The time is up; the same command goes on from here.');
  }
  const all = rows.flatMap((row) => loads.flatMap((load) => replaysOf(row, load, done, settings)));
  console.log(matrixTables(all));
}

/**
 * Cell by cell; false when the time was up before all was done. The half-oracles are asked where tempo is
 * below its aim, to tell which knowledge it lacks.
 */
async function replayCells(done: Done, settings: MatrixArguments): Promise<boolean> {
  for (const row of settings.rows) {
    for (const load of settings.loads) {
      const policies = [...settings.rivals, 'tempo', ORACLE];
      if (!(await replayMissing(row, load, policies, done, settings))) return false;
      const [cell] = matrixCells(replaysOf(row, load, done, settings));
      const isBelow = cell !== undefined && cell.overOracle < OF_ORACLE;
      if (!isBelow && !settings.asksHalves) continue;
      if (!(await replayMissing(row, load, HALF_ORACLES, done, settings))) return false;
    }
  }
  return true;
}

/** What is known of a cell. */
function replaysOf(row: Row, load: number, done: Done, settings: MatrixArguments): MatrixReplay[] {
  const policies = [...settings.rivals, 'tempo', ORACLE, ...HALF_ORACLES];
  return settings.seeds
    .flatMap((seed) =>
      policies.map((policy) => done.get(keyOf({ ...of(row), load, seed, policy }))),
    )
    .filter((replay) => replay !== undefined);
}

function of({ name, requests }: Row): Pick<MatrixReplay, 'row' | 'requests'> {
  return { row: name, requests };
}

/** A seed at a time, each kept once it is whole; false when the time was up before. */
async function replayMissing(
  row: Row,
  load: number,
  policies: readonly string[],
  done: Done,
  { seeds, untilMs, threads, json }: MatrixArguments,
): Promise<boolean> {
  for (const seed of seeds) {
    const missing = policies.filter(
      (policy) => !done.has(keyOf({ ...of(row), load, seed, policy })),
    );
    if (missing.length === 0) continue;
    if (performance.now() >= untilMs) return false;
    const { workload: name, file, profile, requests } = row;
    const jobs = missing.map((policy): LabJob => {
      return { spec: { name, requests, load, seed, profile }, file, policy };
    });
    const labelOf = ({ policy }: LabJob) => `${row.name}, load ${load}, seed ${seed}: ${policy}`;
    const progress = new ProgressLine(jobs.length);
    const results = await runJobs<LabJob, LabResult | number>('./lab-thread.ts', jobs, threads, {
      started: (job, slot) => progress.started(slot, labelOf(job)),
      progress: (slot, share) => progress.progress(slot, share),
      done: (job, slot, result) =>
        progress.done(slot, `${labelOf(job)} ${Math.round(gainOf(result)).toLocaleString('en')}`),
    });
    progress.end();
    for (const [i, policy] of missing.entries()) {
      const replay = { ...of(row), load, seed, policy, gain: gainOf(results[i]) };
      done.set(keyOf(replay), replay);
    }
    if (json !== undefined) writeReplays(json, [...done.values()]);
  }
  return true;
}

function gainOf(result: LabResult | number): number {
  return typeof result === 'number' ? result : result.run.gain;
}

function keyOf({ row, requests, load, seed, policy }: Omit<MatrixReplay, 'gain'>): string {
  return [row, requests, load, seed, policy].join('|');
}

/** Throws `invalid_request` for a file that is there and was not written by this. */
function readReplays(file: string): readonly MatrixReplay[] {
  if (!existsSync(file)) return [];
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isMatrixFile(data)) return data.replays;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TempoError('invalid_request', `${file}: ${message}`, { param: 'json' });
  }
  throw new TempoError('invalid_request', `${file} was not written by "bench matrix --json".`, {
    param: 'json',
  });
}

function isMatrixFile(data: unknown): data is MatrixFile {
  return (
    typeof data === 'object' &&
    data !== null &&
    'replays' in data &&
    Array.isArray(data.replays) &&
    data.replays.every((replay) => typeof replay?.gain === 'number')
  );
}

/** Never leaves half a file, whenever it is stopped. */
function writeReplays(file: string, replays: MatrixReplay[]): void {
  const data: MatrixFile = { replays };
  writeFileSync(`${file}.part`, `${JSON.stringify(data, null, 1)}\n`);
  renameSync(`${file}.part`, file);
}

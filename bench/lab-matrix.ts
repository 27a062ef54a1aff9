import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createVariant, type LabResult } from '../src/lab';
import { POLICY_NAMES, TempoError } from '../src/scheduler';
import { type LabJob, readTrace } from './lab-job';
import { type MatrixFile, type MatrixReplay, matrixTables } from './lab-matrix-table';
import { ProgressLine } from './progress-line';
import { runJobs } from './thread-pool';

/** The oracle, and what it is without one half of its knowledge. */
const ORACLE = 'tempo-oracle';
const GRAPHS_KNOWN = `${ORACLE}:no-prediction`;
const LENGTHS_KNOWN = `${ORACLE}:no-graph-matching`;
const OWN = ['tempo', ORACLE, LENGTHS_KNOWN, GRAPHS_KNOWN];

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
  { name: 'paper', workload: 'paper', requests: 600 },
  ...['integrated-gpu', 'laptop-gpu', 'desktop-gpu'].map((profile) => ({
    name: `page on ${profile}`,
    workload: 'page',
    profile,
    requests: 400,
  })),
  { name: 'agents', workload: 'agents', requests: 800 },
  { name: 'reasoning', workload: 'reasoning', requests: 200 },
];
const TRACE_REQUESTS = 300;

const USAGE = `npm run bench -- matrix [flags]
  --rows A|B            only the rows whose name contains A or B (${ROWS.map(({ name }) => name).join(', ')}, and the traces)
  --traces FILE,FILE    traces, a row each, on server-8b
  --load 0.5,1,2,3      (these)
  --seed N[,N]          (1,2,3,4)
  --policies a,b|all    whom tempo is compared with (all others)
  --requests N          in every row (${ROWS.map(({ name, requests }) => `${name} ${requests}`).join(', ')}, traces ${TRACE_REQUESTS})
  --json FILE           keeps every replay there, and takes from there what was done before
  --again a,b           replays these policies anew, whatever the file has of them ("tempo" is its oracles, too)
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
}

function parse(args: string[]): MatrixArguments {
  const text = { type: 'string' } as const;
  const names = ['rows', 'traces', 'load', 'seed', 'policies', 'requests', 'json'];
  const more = ['again', 'minutes', 'threads'];
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
    (name) => !OWN.includes(name),
  );
  const again = values.again?.split(',') ?? [];
  for (const name of [...rivals, ...again]) createVariant(name);
  const minutes = positive(values.minutes, 'minutes')?.[0] ?? Number.POSITIVE_INFINITY;
  return {
    rows,
    loads: positive(values.load, 'load') ?? [0.5, 1, 2, 3],
    seeds: counts(values.seed, 'seed') ?? [1, 2, 3, 4],
    rivals,
    again: again.includes('tempo') ? [...again, ...OWN] : again,
    untilMs: performance.now() + 60_000 * minutes,
    threads: counts(values.threads, 'threads')?.[0] ?? Math.min(4, availableParallelism()),
    json: values.json,
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

/** Replays what is missing, a row and load at a time, and prints what there is of all that was asked for. */
async function matrix(settings: MatrixArguments): Promise<void> {
  const { rows, loads, seeds, rivals, again, untilMs, threads, json } = settings;
  const known = (json === undefined ? [] : readReplays(json)).filter(
    ({ policy }) => !again.includes(policy),
  );
  const done = new Map(known.map((replay) => [keyOf(replay), replay]));
  const wanted = rows.flatMap((row) =>
    loads.map((load) => ({
      row,
      replays: seeds.flatMap((seed) =>
        [...rivals, ...OWN].map((policy) => ({
          row: row.name,
          requests: row.requests,
          load,
          seed,
          policy,
        })),
      ),
    })),
  );
  const missing = (replays: readonly Omit<MatrixReplay, 'gain'>[]) =>
    replays.filter((replay) => !done.has(keyOf(replay)));
  const progress = new ProgressLine(
    wanted.reduce((n, cell) => n + missing(cell.replays).length, 0),
  );
  for (const { row, replays } of wanted) {
    const next = missing(replays);
    if (next.length === 0) continue;
    // A seed at a time, so that whole cells are there when the time is up.
    for (const seed of seeds) {
      const part = next.filter((replay) => replay.seed === seed);
      if (part.length === 0) continue;
      if (performance.now() >= untilMs) {
        progress.end();
        console.error('The time is up; the same command goes on from here.');
        print(wanted, done);
        return;
      }
      const jobs = part.map(({ load, policy }): LabJob => {
        const { workload: name, file, profile, requests } = row;
        return { spec: { name, requests, load, seed, profile }, file, policy };
      });
      const labelOf = (job: LabJob) =>
        `${row.name}, load ${job.spec.load}, seed ${seed}: ${job.policy}`;
      const results = await runJobs<LabJob, LabResult | number>('./lab-thread.ts', jobs, threads, {
        started: (job, slot) => progress.started(slot, labelOf(job)),
        progress: (slot, share) => progress.progress(slot, share),
        done: (job, slot, result) => progress.done(slot, `${labelOf(job)} ${gainOf(result)}`),
      });
      for (const [i, replay] of part.entries()) {
        done.set(keyOf(replay), { ...replay, gain: gainOf(results[i]) });
      }
      if (json !== undefined) writeReplays(json, [...done.values()]);
    }
  }
  progress.end();
  print(wanted, done);
}

function print(
  wanted: readonly { replays: readonly Omit<MatrixReplay, 'gain'>[] }[],
  done: ReadonlyMap<string, MatrixReplay>,
): void {
  const replays = wanted
    .flatMap((cell) => cell.replays)
    .map((replay) => done.get(keyOf(replay)))
    .filter((replay) => replay !== undefined);
  console.log(matrixTables(replays));
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

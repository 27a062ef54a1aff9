import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { geometricMean } from '../src/scheduler';
import { CELLS } from './gate/cells';
import type { Bound, GateJob, GateResult } from './gate/run';
import { runJobs } from './thread-pool';

const USAGE = `npm run bench -- gate [flags]
  --policy NAME   the policy, or a variant of it (tempo)
  --cells A|B     only the cells whose name contains A or B
  --record        raise the floors to what was measured (a lower one stays)
  --threads N     (as many as there are cores, at most 4)`;

/** What was reached before; `npm run bench -- gate --record` writes it. */
interface Floors {
  /** Geometric mean over all cells that measure gain. */
  mean: number;
  cells: Record<string, Floor>;
}

interface Floor {
  share: number;
  /** By seed. */
  bounds?: Record<string, Bound>;
}

/** What one cell came to. */
export interface Outcome {
  cell: string;
  /** Mean over its seeds. */
  share: number;
  shares: number[];
  bounds: Record<string, Bound>;
}

const FILE = new URL('./gate/floors.json', import.meta.url);
/** A cell may be so far below its floor: single cells move by this much with any change at all. */
const CELL_TOLERANCE = 0.03;
/** Of the flooded app's turns, at least this share is in time, whatever the flood. */
const LEAST_IN_TIME = 0.9;
/** The mean may be so far below: other machines round differently. */
const MEAN_TOLERANCE = 0.001;

/**
 * `npm run bench -- gate`: replays small fixed workloads and fails where tempo earns less of what can
 * be earned than it did before.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      policy: { type: 'string', default: 'tempo' },
      cells: { type: 'string', default: '' },
      record: { type: 'boolean', default: false },
      threads: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const floors = readFloors();
  const threads = Number(values.threads ?? Math.min(4, availableParallelism()));
  const outcomes = await measure(values.policy, values.cells, floors, threads);
  print(outcomes, floors);
  const { user, system } = process.cpuUsage();
  console.log(`${((user + system) / 1e6).toFixed(0)} s of CPU`);
  if (values.record) record(outcomes, floors);
  else if (values.policy === 'tempo') judge(outcomes, floors);
}

export function readFloors(): Floors {
  return JSON.parse(readFileSync(FILE, 'utf8'));
}

/** Every cell's share, by `policy`. */
export async function measure(
  policy: string,
  cells: string,
  floors: Pick<Floors, 'cells'>,
  threads: number,
): Promise<Outcome[]> {
  const parts = cells.split('|');
  const chosen = CELLS.filter(({ name }) => parts.some((part) => name.includes(part)));
  const jobs: GateJob[] = chosen.flatMap(({ name, seeds }) =>
    seeds.map((seed) => ({
      cell: name,
      seed,
      policy,
      bound: floors.cells[name]?.bounds?.[seed],
    })),
  );
  const results = await runJobs<GateJob, GateResult>('./gate/thread.ts', jobs, threads);
  return chosen.map(({ name, seeds }) => {
    const own = results.filter((_, i) => jobs[i].cell === name);
    const shares = own.map(({ share }) => share);
    return {
      cell: name,
      share: shares.reduce((a, b) => a + b, 0) / shares.length,
      shares,
      bounds: Object.fromEntries(seeds.map((seed, i) => [seed, own[i].bound])),
    };
  });
}

/** Geometric mean of the cells that measure gain. */
function meanOf(outcomes: readonly { cell: string; share: number }[]): number {
  const gains = outcomes.filter(({ cell }) => measures(cell, 'gain'));
  return geometricMean(gains.map(({ share }) => share));
}

function measures(cell: string, what: 'gain' | 'flooded'): boolean {
  return CELLS.find(({ name }) => name === cell)?.measure === what;
}

function print(outcomes: readonly Outcome[], floors: Floors): void {
  const width = Math.max(...outcomes.map(({ cell }) => cell.length));
  for (const { cell, share, shares } of outcomes) {
    const floor = floors.cells[cell]?.share;
    const change = floor === undefined ? 'new' : `${percent(share / floor - 1, true)}`;
    const seeds = shares.map((one) => percent(one)).join(' ');
    console.log(`${cell.padEnd(width)}  ${percent(share)}  ${change.padStart(6)}   ${seeds}`);
  }
  console.log(`${'geometric mean of gain'.padEnd(width)}  ${percent(meanOf(outcomes))}`);
}

/** Below this, a cell has failed. */
function leastOf(cell: string, floors: Floors): number {
  if (measures(cell, 'flooded')) return LEAST_IN_TIME;
  return (1 - CELL_TOLERANCE) * (floors.cells[cell]?.share ?? 0);
}

/** Says what fell, and fails. */
function judge(outcomes: readonly Outcome[], floors: Floors): void {
  const failures = outcomes
    .filter(({ cell, share }) => share < leastOf(cell, floors))
    .map(
      ({ cell, share }) =>
        `${cell}: ${percent(share)}, before ${percent(floors.cells[cell].share)}`,
    );
  const mean = meanOf(outcomes);
  if (outcomes.length === CELLS.length && mean < floors.mean - MEAN_TOLERANCE) {
    failures.push(
      `geometric mean: ${percent(mean, false, 2)}, before ${percent(floors.mean, false, 2)}`,
    );
  }
  for (const failure of failures) console.error(`Below its floor: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

function record(outcomes: readonly Outcome[], floors: Floors): void {
  const cells: Floors['cells'] = {};
  for (const { cell, share, bounds } of outcomes) {
    const before = floors.cells[cell]?.share ?? 0;
    cells[cell] = { share: rounded(Math.max(share, before)) };
    if (measures(cell, 'gain')) cells[cell].bounds = bounds;
  }
  const all = { ...floors.cells, ...cells };
  const kept = CELLS.flatMap(({ name }) => (all[name] ? [[name, all[name]] as const] : []));
  const mean = outcomes.length === CELLS.length ? meanOf(outcomes) : floors.mean;
  // Where cells have come or gone, the mean is another one.
  const before = Object.keys(floors.cells);
  const sameCells = before.join() === CELLS.map(({ name }) => name).join();
  const next: Floors = {
    mean: rounded(sameCells ? Math.max(mean, floors.mean) : mean),
    cells: Object.fromEntries(kept),
  };
  writeFileSync(FILE, `${JSON.stringify(next, null, 2)}\n`);
}

function rounded(share: number): number {
  return Math.floor(share * 1e5) / 1e5;
}

export function percent(share: number, signed = false, decimals = 1): string {
  const sign = signed && share >= 0 ? '+' : '';
  return `${sign}${(100 * share).toFixed(decimals)}%`;
}

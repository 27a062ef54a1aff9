import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { RULES, tuning } from '../src/scheduler/policies/tempo';
import { measure, type Outcome, percent, readFloors } from './gate';
import { CELLS } from './gate/cells';

/** Cells in which every rule has something to do, a third of the gate's work. */
const TELLING = [
  'paper, load 2',
  'page on an integrated GPU, load 2',
  'page on a laptop, load 3',
  'page on a desktop, load 4',
  'page, unmixed steps, load 3',
  'page, small memory, load 2',
  'paper, small memory',
  'page, bursts',
  'much in the background, load 5',
  'flood of 5,000 streams',
];

const USAGE = `npm run bench -- ablate [flags]
  --only A;B      these variants of tempo alone (no-admission; commitment=1,hopeless=0; …)
  --cells A|B     only the cells whose name contains A or B (ten of the gate's; '' for all)
  --minutes N     (20) no variant is begun after so long
  --threads N     (as many as there are cores, at most 4)
Without each rule, then with each number at half and at twice its value: what that does to the gain, with its
standard error over all cells and seeds, and in which cell it loses and wins most. A variant takes some 20 to
40 s of CPU time, all ${everyVariant().length} of them 10 to 20 minutes.`;

/**
 * `npm run bench -- ablate`: runs cells of the gate without each rule, and with each number at half and at
 * twice its value, and prints what that does to the gain.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      cells: { type: 'string', default: TELLING.join('|') },
      minutes: { type: 'string', default: '20' },
      threads: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const endMs = performance.now() + 60_000 * Number(values.minutes);
  const threads = Number(values.threads ?? Math.min(4, availableParallelism()));
  const { cells: floors } = readFloors();
  const variants = values.only?.split(';') ?? everyVariant();
  const of = (policy: string) => measure(policy, values.cells, { cells: floors }, threads);
  const whole = await of('tempo');
  const width = Math.max(...variants.map((name) => name.length));
  console.log(`${'variant'.padEnd(width)}     gain  error   most lost, most won; floods`);
  for (const [at, variant] of variants.entries()) {
    if (performance.now() > endMs) {
      console.log(`Not run, for lack of time: ${variants.slice(at).join(';')}`);
      return;
    }
    console.log(lineOf(variant.padEnd(width), compare(await of(`tempo:${variant}`), whole)));
  }
}

function lineOf(variant: string, { effect, error, cells, floods }: Comparison): string {
  const columns = [
    variant,
    percent(effect, true, 2).padStart(8),
    percent(error, false, 2).padStart(6),
  ];
  const [worst, best] = [cells.at(0), cells.at(-1)];
  if (worst !== undefined && best !== undefined) {
    columns.push(
      ` ${percent(worst.effect, true)} ${worst.name}, ${percent(best.effect, true)} ${best.name}`,
    );
  }
  if (floods !== 0) columns.push(`; ${percent(floods, true)} of flooded turns`);
  return columns.join(' ');
}

/** Without each rule; each number at half and twice its value. */
function everyVariant(): string[] {
  const rules = RULES.map((rule) => `no-${rule}`);
  const numbers = Object.entries(tuning).flatMap(([name, value]) => [
    `${name}=${value / 2}`,
    `${name}=${value * 2}`,
  ]);
  return [...rules, ...numbers];
}

/** What a variant changes, as shares of the gain. */
interface Comparison {
  /** Geometric mean over all cells and seeds. */
  effect: number;
  /** Its standard error. */
  error: number;
  /** The most lost first. */
  cells: { name: string; effect: number }[];
  /** Change of the share of flooded turns in time. */
  floods: number;
}

function compare(changed: readonly Outcome[], whole: readonly Outcome[]): Comparison {
  const logs: number[] = [];
  const cells: Comparison['cells'] = [];
  const floods: number[] = [];
  for (const [i, { cell, share, shares }] of whole.entries()) {
    const now = changed[i];
    if (CELLS.some(({ name, measure }) => name === cell && measure === 'gain')) {
      cells.push({ name: cell, effect: now.share / share - 1 });
      logs.push(...shares.map((own, seed) => Math.log(now.shares[seed] / own)));
    } else {
      floods.push(now.share - share);
    }
  }
  const effect = mean(logs);
  const variance = mean(logs.map((log) => (log - effect) ** 2));
  return {
    effect: Math.expm1(effect),
    error: Math.sqrt(variance / Math.max(1, logs.length - 1)),
    cells: cells.sort((a, b) => a.effect - b.effect),
    floods: mean(floods),
  };
}

function mean(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0) / Math.max(1, list.length);
}

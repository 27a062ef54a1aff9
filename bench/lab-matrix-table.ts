import { geometricMean } from '../src/scheduler';

/** What one policy earned of one row at one load and seed. */
export interface MatrixReplay {
  row: string;
  requests: number;
  load: number;
  seed: number;
  policy: string;
  gain: number;
}

/** What `bench matrix --json` writes. */
export interface MatrixFile {
  replays: readonly MatrixReplay[];
}

/** The yardstick, and what it is with one half of its knowledge: see `tempoOracle`. */
export const ORACLE = 'tempo-oracle';
const LENGTHS_KNOWN = `${ORACLE}:no-graph-matching`;
const GRAPHS_KNOWN = `${ORACLE}:no-prediction`;
export const HALF_ORACLES: readonly string[] = [LENGTHS_KNOWN, GRAPHS_KNOWN];

/** The aims: never below the best other, and at least so much of the oracle. */
const OF_BEST = 1;
export const OF_ORACLE = 0.97;

/** A row at one load: gains are geometric means over the seeds that every policy has. */
export interface MatrixCell {
  row: string;
  load: number;
  seeds: number;
  /** The best of the other policies. */
  best: string;
  /** Tempo's gain over it. */
  overBest: number;
  /** Tempo's gain over its oracle's. */
  overOracle: number;
  /** The oracle's with the lengths alone known, or the graphs alone, over the whole oracle's; where it was asked. */
  lengthsOverOracle?: number;
  graphsOverOracle?: number;
}

/** The cells of which at least one seed is whole. */
export function matrixCells(replays: readonly MatrixReplay[]): MatrixCell[] {
  const policies = [...new Set(replays.map(({ policy }) => policy))].filter(
    (policy) => !HALF_ORACLES.includes(policy),
  );
  const cells: MatrixCell[] = [];
  for (const [key, own] of groups(replays, ({ row, load }) => `${load}|${row}`)) {
    const seeds = [...groups(own, ({ seed }) => String(seed)).values()].filter((list) =>
      policies.every((policy) => list.some((replay) => replay.policy === policy)),
    );
    if (seeds.length === 0) continue;
    const whole = seeds.flat();
    const gain = (policy: string) => {
      const gains = whole.filter((replay) => replay.policy === policy).map((replay) => replay.gain);
      return gains.length === seeds.length ? geometricMean(gains) : undefined;
    };
    const overOracle = (policy: string) => {
      const [own, oracle] = [gain(policy), gain(ORACLE)];
      return own === undefined || oracle === undefined ? undefined : own / oracle;
    };
    const [best, gainOfBest] = policies
      .filter((policy) => policy !== ORACLE && policy !== 'tempo')
      .map((policy): [string, number] => [policy, gain(policy) ?? 0])
      .reduce((a, b) => (b[1] > a[1] ? b : a));
    cells.push({
      row: own[0].row,
      load: Number(key.split('|', 1)[0]),
      seeds: seeds.length,
      best,
      overBest: (gain('tempo') ?? 0) / gainOfBest,
      overOracle: overOracle('tempo') ?? Number.NaN,
      lengthsOverOracle: overOracle(LENGTHS_KNOWN),
      graphsOverOracle: overOracle(GRAPHS_KNOWN),
    });
  }
  return cells;
}

/** The cells as a Markdown table, the means by row and over all, and where an aim is missed. */
export function matrixTables(replays: readonly MatrixReplay[]): string {
  const cells = matrixCells(replays);
  if (cells.length === 0) return 'No cell is whole yet.';
  const lines = [
    '| workload | load | seeds | best other | tempo / best other | tempo / oracle | lengths known / oracle | graphs known / oracle |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...cells.map(
      (cell) =>
        `| ${cell.row} | ${cell.load} | ${cell.seeds} | ${cell.best} | ${cell.overBest.toFixed(3)} | ${[
          cell.overOracle,
          cell.lengthsOverOracle,
          cell.graphsOverOracle,
        ]
          .map(percent)
          .join(' | ')} |`,
    ),
    '',
    '| geometric means | tempo / best other | tempo / oracle |',
    '| --- | --- | --- |',
    ...[...groups(cells, ({ row }) => row)].map(([row, own]) => meanLine(row, own)),
    meanLine('all', cells),
    '',
    listLine('Below the best other', cells, (cell) => rounded(cell.overBest) < OF_BEST),
    listLine(`Below ${percent(OF_ORACLE)} of the oracle`, cells, (c) => c.overOracle < OF_ORACLE),
  ];
  return lines.join('\n');
}

function meanLine(name: string, cells: readonly MatrixCell[]): string {
  const best = geometricMean(cells.map(({ overBest }) => overBest));
  const oracle = geometricMean(cells.map(({ overOracle }) => overOracle));
  return `| ${name} | ${best.toFixed(3)} | ${percent(oracle)} |`;
}

function listLine(
  title: string,
  cells: readonly MatrixCell[],
  missed: (cell: MatrixCell) => boolean,
): string {
  const names = cells.filter(missed).map(({ row, load }) => `${row} at ${load}`);
  return `${title}: ${names.length === 0 ? 'nowhere' : names.join('; ')}.`;
}

function groups<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group === undefined) found.set(key, [item]);
    else group.push(item);
  }
  return found;
}

/** As the table shows it: who is level is not below. */
function rounded(share: number): number {
  return Number(share.toFixed(3));
}

function percent(share: number | undefined): string {
  return share === undefined ? '' : `${(100 * share).toFixed(1)}%`;
}

import type { LabRun } from '../src/lab';
import { SLO_CLASSES } from '../src/scheduler';

const SHORT = { latency: 'lat', deadline: 'dead', program: 'prog', 'best-effort': 'best' };

/** The runs of one workload, load and seed as a table, the greatest gain first. */
export function labTable(runs: readonly LabRun[]): string {
  const classes = SLO_CLASSES.filter((name) => runs.some((run) => name in run.attainment));
  const header = [
    'policy',
    'gain',
    'of bound',
    'goodput tok/s',
    'req/s',
    ...classes.map((name) => `met ${SHORT[name]}`),
    'ttft p50/p95/p99',
    'tbt p50/p95/p99',
    'ttlt p50/p95/p99',
    'qoe',
    'preempt',
    'cover',
    'wall',
  ];
  const rows = [...runs]
    .sort((a, b) => b.gain - a.gain)
    .map((run) => [
      run.policy,
      Math.round(run.gain).toLocaleString('en'),
      percent(run.gain / run.bound),
      Math.round(run.tokenGoodput).toLocaleString('en'),
      run.requestGoodput.toFixed(2),
      ...classes.map((name) => percent(run.attainment[name])),
      times(run.ttft, 1),
      times(run.tbt, 0),
      times(run.ttlt, 1),
      run.qoe === null ? '-' : run.qoe.toFixed(3),
      String(run.preemptions),
      percent(run.coverage ?? undefined),
      `${(run.wallMs / 1000).toFixed(1)} s`,
    ]);
  const widths = header.map((name, i) =>
    Math.max(name.length, ...rows.map((row) => row[i].length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ');
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join(
    '\n',
  );
}

function percent(share: number | undefined): string {
  return share === undefined || !Number.isFinite(share) ? '-' : `${(100 * share).toFixed(1)}%`;
}

/** In seconds with `decimals`, or in ms where that is 0. */
function times({ p50, p95, p99 }: LabRun['ttft'], decimals: number): string {
  const unit = decimals === 0 ? 1 : 1000;
  const cells = [p50, p95, p99].map((ms) => (ms === null ? '-' : (ms / unit).toFixed(decimals)));
  return `${cells.join('/')} ${decimals === 0 ? 'ms' : 's'}`;
}

import type { LabRun, RunDetails } from '../../src/lab';
import { SLO_CLASSES, type SloClass } from '../../src/scheduler';
import type { LabFile } from '../lab';

/** One policy at one load: means over seeds. */
export interface Point {
  load: number;
  gain: number;
  bound: number;
  tokenGoodput: number;
  requestGoodput: number;
  attainment: Partial<Record<SloClass, number>>;
  ttftP95: number;
  tbtP95: number;
  /** Andes' quality of experience of streams, 0 to 1; undefined where there are none. */
  qoe: number | undefined;
  preemptions: number;
  /** Of the first seed. */
  timeline: RunDetails['timeline'];
}

/** A policy's points, by load. */
export interface Series {
  policy: string;
  points: Point[];
}

/** A workload's figures. */
export interface Chapter {
  workload: string;
  seeds: number[];
  requests: number;
  loads: number[];
  classes: SloClass[];
  /** Whole policies, the greatest gain at the highest load first. */
  series: Series[];
  /** Variants with parts switched off. */
  ablations: Series[];
}

/** Sorts the runs of lab files into chapters, one a workload. */
export function chaptersOf(files: readonly LabFile[]): Chapter[] {
  const workloads = new Set(files.flatMap((file) => file.runs.map((run) => run.workload)));
  return [...workloads].map((workload) => chapterOf(workload, files));
}

function chapterOf(workload: string, files: readonly LabFile[]): Chapter {
  const rows = files.flatMap(({ runs, details, settings }) =>
    runs.map((run, i) => ({ run, details: details[i], requests: settings.requests })),
  );
  const own = rows.filter(({ run }) => run.workload === workload);
  const loads = unique(own.map(({ run }) => run.load)).sort((a, b) => a - b);
  const policies = unique(own.map(({ run }) => run.policy));
  const all = policies.map((policy) => ({
    policy,
    points: loads
      .map((load) => own.filter(({ run }) => run.policy === policy && run.load === load))
      .filter((group) => group.length > 0)
      .map(pointOf),
  }));
  all.sort((a, b) => (b.points.at(-1)?.gain ?? 0) - (a.points.at(-1)?.gain ?? 0));
  return {
    workload,
    seeds: unique(own.map(({ run }) => run.seed)),
    requests: Math.max(...own.map((row) => row.requests)),
    loads,
    classes: SLO_CLASSES.filter((name) => own.some(({ run }) => name in run.attainment)),
    series: all.filter(({ policy }) => !policy.includes(':')),
    ablations: all.filter(({ policy }) => policy.includes(':')),
  };
}

function pointOf(rows: readonly { run: LabRun; details: RunDetails }[]): Point {
  const mean = (of: (run: LabRun) => number) =>
    rows.reduce((sum, { run }) => sum + of(run), 0) / rows.length;
  const { run, details } = rows[0];
  const classes = SLO_CLASSES.filter((name) => name in run.attainment);
  return {
    load: run.load,
    gain: mean((r) => r.gain),
    bound: mean((r) => r.bound),
    tokenGoodput: mean((r) => r.tokenGoodput),
    requestGoodput: mean((r) => r.requestGoodput),
    attainment: Object.fromEntries(
      classes.map((name) => [name, mean((r) => r.attainment[name] ?? 0)]),
    ),
    ttftP95: mean((r) => r.ttft.p95 ?? 0),
    tbtP95: mean((r) => r.tbt.p95 ?? 0),
    qoe: rows.some((row) => row.run.qoe === null) ? undefined : mean((r) => r.qoe ?? 0),
    preemptions: mean((r) => r.preemptions),
    timeline: details.timeline,
  };
}

export function pointAt(series: Series | undefined, load: number): Point | undefined {
  return series?.points.find((point) => point.load === load);
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}

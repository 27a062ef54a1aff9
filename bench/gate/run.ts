import { createVariant, FLOODED, fluidBound, replay, type Workload } from '../../src/lab';
import { hashText, metSlo, type Request, TempoError } from '../../src/scheduler';
import { CELLS, type Cell } from './cells';

/** One replay of one cell, in plain data. */
export interface GateJob {
  cell: string;
  seed: number;
  /** A policy's name or a variant's; see `createVariant`. */
  policy: string;
  /** The gain's bound, where it is known: making it takes as long as the replay. */
  bound?: Bound;
}

/** The bound of a workload's gain, and which workload. */
export interface Bound {
  workload: number;
  gain: number;
}

export interface GateResult {
  /** Share of the bound, or of the turns in time, 0 to 1. */
  share: number;
  bound: Bound;
}

/** How long a flood is watched after its last turn has come, ms. */
const AFTERWARDS_MS = 30_000;

export async function runGateJob({
  cell: name,
  seed,
  policy,
  bound,
}: GateJob): Promise<GateResult> {
  const cell = CELLS.find((one) => one.name === name);
  if (cell === undefined) throw new TempoError('invalid_request', `There is no cell "${name}".`);
  const workload = cell.workload(seed);
  if (cell.measure === 'flooded') {
    return { share: await flooded(workload, policy), bound: { workload: 0, gain: 0 } };
  }
  const known = boundOf(workload, bound);
  return { share: (await gain(workload, policy, cell)) / known.gain, bound: known };
}

function boundOf(workload: Workload, known?: Bound): Bound {
  const { arrivals, profile } = workload;
  const hash = hashText(JSON.stringify({ arrivals, profile }));
  return known?.workload === hash ? known : { workload: hash, gain: fluidBound(workload) };
}

async function gain(workload: Workload, name: string, { capabilities }: Cell): Promise<number> {
  const { policy, bestEffortShare } = createVariant(name);
  const { metrics } = await replay(workload, { policy, bestEffortShare, capabilities });
  return metrics.snapshot().total.gain;
}

/** Share of the flooded app's turns that were in time. */
async function flooded(workload: Workload, name: string): Promise<number> {
  const turns: Request[] = [];
  const submitted = (request: Request) => {
    if (request.app === FLOODED && request.stage === 'turn') turns.push(request);
  };
  const untilMs = (workload.arrivals.at(-1)?.atMs ?? 0) + AFTERWARDS_MS;
  const { policy } = createVariant(name);
  await replay(workload, { policy, untilMs, watch: { submitted } });
  return turns.filter(metSlo).length / turns.length;
}

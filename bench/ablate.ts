import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { RULES, tuning } from '../src/scheduler/policies/tempo';
import { measure, type Outcome, percent, readFloors } from './gate';
import { CELLS } from './gate/cells';

const USAGE = `npm run bench -- ablate [flags]
  --only A;B      these variants of tempo alone (no-admission; commitment=1,hopeless=0; …)
  --cells A|B     only the cells whose name contains A or B
  --threads N     (as many as there are cores, at most 4)`;

/**
 * `npm run bench -- ablate`: runs the gate without each rule, and with each number at half and at
 * twice its value, and prints what that does to the gain.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      cells: { type: 'string', default: '' },
      threads: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const threads = Number(values.threads ?? Math.min(4, availableParallelism()));
  const { cells: floors } = readFloors();
  const variants = values.only?.split(';') ?? everyVariant();
  const of = (policy: string) => measure(policy, values.cells, { cells: floors }, threads);
  const whole = await of('tempo');
  const width = Math.max(...variants.map((name) => name.length));
  console.log(`${'variant'.padEnd(width)}   gain  by seed         most lost, most won; floods`);
  for (const variant of variants) {
    const { effect, bySeed, cells, floods } = compare(await of(`tempo:${variant}`), whole);
    const [worst, best] = [cells.at(0), cells.at(-1)];
    const columns = [
      variant.padEnd(width),
      percent(effect, true, 2).padStart(7),
      ...bySeed.map((one) => percent(one, true).padStart(6)),
    ];
    if (worst !== undefined && best !== undefined) {
      columns.push(
        ` ${percent(worst.effect, true)} ${worst.name}, ${percent(best.effect, true)} ${best.name}`,
      );
    }
    if (floods !== 0) columns.push(`; ${percent(floods, true)} of flooded turns`);
    console.log(columns.join(' '));
  }
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
  /** Over all cells. */
  effect: number;
  /** Over the cells' first seeds, over their second seeds. */
  bySeed: number[];
  /** The most lost first. */
  cells: { name: string; effect: number }[];
  /** Change of the share of flooded turns in time. */
  floods: number;
}

function compare(changed: readonly Outcome[], whole: readonly Outcome[]): Comparison {
  const gains = whole
    .map((_, i) => i)
    .filter((i) => CELLS.some(({ name, measure }) => name === whole[i].cell && measure === 'gain'));
  const logs = (at: number) =>
    gains.map((i) => Math.log(changed[i].shares[at] / whole[i].shares[at]));
  const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / Math.max(1, list.length);
  const effects = gains.map((i) => ({
    name: whole[i].cell,
    effect: changed[i].share / whole[i].share - 1,
  }));
  const floods = whole.map((_, i) => i).filter((i) => !gains.includes(i));
  return {
    effect: Math.expm1(mean(effects.map(({ effect }) => Math.log1p(effect)))),
    bySeed: [0, 1].map((at) => Math.expm1(mean(logs(at)))),
    cells: effects.sort((a, b) => a.effect - b.effect),
    floods: mean(floods.map((i) => changed[i].share - whole[i].share)),
  };
}

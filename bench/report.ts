import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { POLICY_NAMES, TempoError } from '../src/scheduler';
import { LAB_USAGE, parseLabArguments } from './arguments';
import { type LabFile, lab } from './lab';
import { chaptersOf } from './report/figures';
import { reportPage } from './report/page';

const USAGE = `npm run bench -- report [flags]
  --from FILE[,FILE]   figures that "bench lab --json FILE" wrote; without it they are made anew
  --out FILE           (report.html)
  --quick              make fewer figures anew`;

/** What the report shows where no figures are given. */
const COMMANDS = [
  '--workload paper --load 0.5,1,1.5,2,3 --requests 2000 --ablations',
  '--workload page --load 0.5,1,2,3 --requests 1000',
];
const QUICK = ['--workload paper --load 0.5,1,2,3 --requests 500 --ablations'];

/** `npm run bench -- report …`: writes the lab's figures as one self-contained HTML page. */
export async function run(args: string[]): Promise<void> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return;
  }
  try {
    const { from, out = 'report.html', quick = false } = flags(args);
    const commands = quick ? QUICK : COMMANDS;
    const files = from?.split(',').map(readFile) ?? [];
    if (from === undefined) {
      for (const command of commands) files.push(await lab(parseLabArguments(command.split(' '))));
    }
    const made = from === undefined ? commands : files.map(commandOf);
    const page = reportPage(
      chaptersOf(files),
      made.map((command) => `npm run bench -- lab ${command}`),
    );
    writeFileSync(out, page);
    console.error(`Wrote ${out}.`);
  } catch (thrown) {
    if (!(thrown instanceof TempoError) || thrown.status >= 500) throw thrown;
    console.error(thrown.message);
    process.exitCode = 1;
  }
}

function flags(args: string[]): { from?: string; out?: string; quick?: boolean } {
  const text = { type: 'string' } as const;
  try {
    const options = { from: text, out: text, quick: { type: 'boolean' } as const };
    return parseArgs({ args, options }).values;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TempoError('invalid_request', `${message}\n\n${USAGE}\n\n${LAB_USAGE}`);
  }
}

/** Throws `invalid_request` for what is no lab file. */
function readFile(file: string): LabFile {
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isLabFile(data)) return data;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TempoError('invalid_request', `${file}: ${message}`);
  }
  throw new TempoError('invalid_request', `${file} was not written by "bench lab --json".`);
}

function isLabFile(data: unknown): data is LabFile {
  return typeof data === 'object' && data !== null && 'runs' in data && 'details' in data;
}

/** The flags that make these figures again. */
function commandOf({ settings: s }: LabFile): string {
  const whole = s.policies.filter((policy) => !policy.includes(':'));
  const parts = [
    `--workload ${s.trace ? `trace:${s.workload}` : s.workload}`,
    `--policies ${whole.length === POLICY_NAMES.length ? 'all' : whole.join(',')}`,
    `--load ${s.loads.join(',')}`,
    `--seed ${s.seeds.join(',')}`,
    `--requests ${s.requests}`,
  ];
  if (s.profile !== undefined) parts.push(`--profile ${s.profile}`);
  if (s.alpha !== undefined) parts.push(`--alpha ${s.alpha}`);
  if (s.mix !== undefined) parts.push(`--mix ${s.mix.join(':')}`);
  if (s.slo !== undefined) {
    parts.push(`--slo ${[s.slo.ttft, s.slo.tbt, s.slo.ttlt].map((ms) => ms / 1000).join(',')}`);
  }
  if (s.pattern?.kind === 'bursty') parts.push(`--arrivals bursty:${s.pattern.variation}`);
  for (const policy of s.policies) {
    if (policy.startsWith('tempo:no-')) parts.push(policy.replace('tempo:', '--'));
  }
  return parts.join(' ');
}

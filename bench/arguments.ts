import { parseArgs } from 'node:util';
import {
  ABLATION_NAMES,
  type ArrivalPattern,
  type BaseSlo,
  createVariant,
  type Mix,
  parseMix,
  parseSlo,
  WORKLOAD_NAMES,
} from '../src/lab';
import { POLICY_NAMES, TempoError } from '../src/scheduler';

/** What `bench lab` is asked to do. */
export interface LabArguments {
  /** One of `WORKLOAD_NAMES`, or a trace's path. */
  workload: string;
  /** The workload is a file to read. */
  trace: boolean;
  policies: string[];
  loads: number[];
  seeds: number[];
  requests: number;
  json?: string;
  mix?: Mix;
  slo?: BaseSlo;
  profile?: string;
  pattern?: ArrivalPattern;
  alpha?: number;
  /** Tokens of a block of a Mooncake trace's `hash_ids`. */
  blockTokens?: number;
  threads?: number;
}

export const LAB_USAGE = `npm run bench -- lab [flags]
  --workload ${WORKLOAD_NAMES.join('|')}|trace:FILE   (paper)
  --policies a,b|all                 (all: ${POLICY_NAMES.join(', ')})
  --load 0.5,1,2,3                   (1)   1: arrivals whose work just fills the engine
  --seed N[,N]                       (1)
  --requests N                       (2000) members of programs counted one by one
  --mix L:D:P:B                      latency, deadline, program, best-effort arrivals
  --slo TTFT,TBT,TTLT                base objective in seconds (1,0.1,10)
  --profile NAME                     device profile
  --arrivals poisson|bursty[:CV]     (poisson; traces: their own) CV: variation of the gaps (4)
  --alpha N                          (100) how hard objectives are
  --block-tokens N                   (512) tokens for each of a Mooncake trace's hash_ids
  --json FILE                        all figures
  --threads N                        (as many as there are cores, at most 4)
  ablations of tempo, run beside it: ${ABLATION_NAMES.map((name) => `--${name}`).join(' ')}, --ablations for each`;

/** Reads the flags. Throws `invalid_request` and its kin. */
export function parseLabArguments(args: string[]): LabArguments {
  const { values } = parse(args);
  const workload = values.workload ?? 'paper';
  const trace = workload.startsWith('trace:');
  return {
    workload: trace ? workload.slice('trace:'.length) : workload,
    trace,
    policies: policiesOf(values.policies ?? 'all', args),
    loads: numbers(values.load ?? '1', 'load', (load) => load > 0),
    seeds: numbers(values.seed ?? '1', 'seed', Number.isSafeInteger),
    requests: number(
      values.requests ?? '2000',
      'requests',
      (n) => Number.isSafeInteger(n) && n > 0,
    ),
    json: values.json,
    mix: values.mix === undefined ? undefined : parseMix(values.mix),
    slo: values.slo === undefined ? undefined : parseSlo(values.slo),
    profile: values.profile,
    pattern: values.arrivals === undefined ? undefined : patternOf(values.arrivals),
    alpha: values.alpha === undefined ? undefined : number(values.alpha, 'alpha', (a) => a >= 0),
    blockTokens: countOf(values['block-tokens'], 'block-tokens'),
    threads: countOf(values.threads, 'threads'),
  };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const ablations = Object.fromEntries(
    [...ABLATION_NAMES, 'ablations'].map((name) => [name, { type: 'boolean' } as const]),
  );
  const options = {
    workload: text,
    policies: text,
    load: text,
    seed: text,
    requests: text,
    json: text,
    mix: text,
    slo: text,
    profile: text,
    arrivals: text,
    alpha: text,
    'block-tokens': text,
    threads: text,
  };
  try {
    return parseArgs({ args, options: { ...options, ...ablations }, strict: true });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TempoError('invalid_request', `${message}\n\n${LAB_USAGE}`);
  }
}

/** The policies asked for, and beside tempo its ablations. */
function policiesOf(list: string, args: string[]): string[] {
  const policies = list === 'all' ? [...POLICY_NAMES] : list.split(',');
  const all = args.includes('--ablations');
  for (const name of ABLATION_NAMES) {
    if (all || args.includes(`--${name}`)) policies.push(`tempo:${name}`);
  }
  // Fails now rather than after an hour.
  for (const policy of policies) createVariant(policy);
  return [...new Set(policies)];
}

function patternOf(text: string): ArrivalPattern {
  const [kind, variation = '4'] = text.split(':');
  if (kind === 'poisson') return { kind };
  if (kind === 'bursty') return { kind, variation: number(variation, 'arrivals', (v) => v > 0) };
  throw new TempoError('invalid_request', `Arrivals are poisson or bursty[:CV], got "${text}".`);
}

function numbers(text: string, flag: string, good: (value: number) => boolean): number[] {
  return text.split(',').map((part) => number(part, flag, good));
}

function countOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  return number(text, flag, (n) => Number.isSafeInteger(n) && n > 0);
}

function number(text: string, flag: string, good: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (good(value) && Number.isFinite(value)) return value;
  throw new TempoError('invalid_request', `--${flag} cannot be "${text}".\n\n${LAB_USAGE}`);
}

import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  createPolicy,
  POLICY_NAMES,
  type Request,
  type RequestSpec,
  runStep,
  Scheduler,
  type Slo,
  seededRandom,
  TempoError,
  VirtualClock,
} from '../src/scheduler';
import { CountingEngine } from '../src/scheduler/testing/counting-engine';

const USAGE = `npm run bench -- scheduler [flags]
  --policies a,b|all   (all)
  --running 8,64       (64) sequences that run at once
  --waiting 10,100     (100,1000,10000) requests that wait beside them
  --steps N            (400) steps that are timed, after 800 that are not
  --repeat N           (2) times that each row is run
  --json FILE          all figures
What one planning decision takes, and what else a step takes: a submission, and all that follows from the
step's result (tokens, ends). The runs of a row decide the same, so that each decision's least time counts:
what else the machine does only adds to it. The ratios are to a fixed piece of work, timed beside every
decision, and hold on slow and on busy machines; the microseconds are this machine's.`;

/** Median and 99% quantile, microseconds. */
interface Times {
  p50: number;
  p99: number;
}

interface Row {
  policy: string;
  running: number;
  waiting: number;
  /** One planning decision. */
  plan: Times;
  /** One submission. */
  submit: Times;
  /** All that follows from one step: it is learnt from, its tokens are handed out, requests end. */
  result: Times;
  /** The reference's median, microseconds. */
  referenceUs: number;
}

/** Steps before the timed ones: the code is compiled, the predictors have data. */
const WARM_UP = 800;
/** What is timed. */
const KINDS = ['plan', 'submit', 'result'] as const;

/** One run's times, ms, in the order in which things were done. */
type Samples = Record<(typeof KINDS)[number] | 'reference', number[]>;

/** `npm run bench -- scheduler`: how long each policy takes to plan one step, and what else a step takes. */
export async function run(args: string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      policies: { ...text, default: 'all' },
      running: { ...text, default: '64' },
      waiting: { ...text, default: '100,1000,10000' },
      steps: { ...text, default: '400' },
      repeat: { ...text, default: '2' },
      json: text,
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const policies = values.policies === 'all' ? POLICY_NAMES : values.policies.split(',');
  const [steps] = counts(values.steps, 'steps');
  const [repeat] = counts(values.repeat, 'repeat');
  const rows: Row[] = [];
  console.log(`policy        running  waiting${KINDS.map(heading).join('')}   reference µs`);
  for (const policy of policies) {
    for (const running of counts(values.running, 'running')) {
      for (const waiting of counts(values.waiting, 'waiting')) {
        const runs: Samples[] = [];
        for (let i = 0; i < repeat; i++) runs.push(await time(policy, running, waiting, steps));
        const row = rowOf(policy, running, waiting, runs);
        rows.push(row);
        console.log(lineOf(row));
      }
    }
  }
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ rows }, null, 2)}\n`);
  }
}

/** Whole numbers of at least 1, separated by commas. */
function counts(list: string, flag: string): number[] {
  return list.split(',').map((item) => {
    const count = Number(item);
    if (Number.isSafeInteger(count) && count > 0) return count;
    throw new TempoError(
      'invalid_request',
      `--${flag} takes whole numbers above 0, got "${item}".`,
      {
        param: flag,
      },
    );
  });
}

function heading(kind: (typeof KINDS)[number]): string {
  return ` | ${kind.padStart(6)}: p50    p99 µs  ratios    `;
}

function lineOf(row: Row): string {
  const { policy, running, waiting, referenceUs } = row;
  const cells = KINDS.map((kind) => {
    const { p50, p99 } = row[kind];
    const ratios = [p50, p99].map((us) => (us / referenceUs).toFixed(2).padStart(6));
    return ` | ${p50.toFixed(1).padStart(11)} ${p99.toFixed(1).padStart(9)} ${ratios.join(' ')}`;
  });
  const counted = [running, waiting].map((count) => String(count).padStart(8));
  return `${policy.padEnd(12)} ${counted.join(' ')}${cells.join('')}  ${referenceUs.toFixed(1).padStart(12)}`;
}

function rowOf(policy: string, running: number, waiting: number, runs: readonly Samples[]): Row {
  const times = (kind: keyof Samples) => timesOf(runs.map((samples) => samples[kind]));
  return {
    ...{ policy, running, waiting },
    ...{ plan: times('plan'), submit: times('submit'), result: times('result') },
    referenceUs: times('reference').p50,
  };
}

/**
 * Plans steps of a queue that stays as long as it is: whoever finishes is followed by a newcomer.
 * All four classes, equally many; answers of 20 to 200 tokens.
 */
async function time(
  policyName: string,
  running: number,
  waiting: number,
  steps: number,
): Promise<Samples> {
  const random = seededRandom(1);
  const clock = new VirtualClock();
  const engine = new CountingEngine({
    clock,
    capacity: {
      maxSequences: running,
      maxBatch: running,
      totalPages: running * 256,
      maxPrefillTokens: 2048,
    },
  });
  const scheduler = new Scheduler({
    policy: createPolicy(policyName),
    engine,
    costs: engine.costs,
    maxWaiting: 2 * waiting + 100,
  });
  const lengths = new Map<Request, number>();
  const host = {
    sequence: (request: Request) => ({
      id: request.id,
      tokens: { length: request.knownTokens },
      promptTokens: request.promptTokens,
      sampling: { temperature: 0, topP: 1, seed: 0 },
    }),
    token: (request: Request) =>
      request.generated >= (lengths.get(request) ?? 1) ? ('stop' as const) : null,
    failed: () => {},
  };
  const samples: Samples = { plan: [], submit: [], result: [], reference: [] };
  let submitted = 0;
  const submit = () => {
    const number = submitted++;
    const outputTokens = 20 + Math.floor(180 * random());
    const one = spec(number, outputTokens, random, scheduler, clock.now());
    const start = performance.now();
    const request = scheduler.submit(one, clock.now());
    samples.submit.push(performance.now() - start);
    lengths.set(request, outputTokens);
  };
  const plan = scheduler.plan.bind(scheduler);
  scheduler.plan = (...now) => {
    const start = performance.now();
    const made = plan(...now);
    const planned = performance.now();
    reference();
    samples.reference.push(performance.now() - planned);
    samples.plan.push(planned - start);
    return made;
  };
  let steppedAt = 0;
  const stepped = scheduler.stepped.bind(scheduler);
  scheduler.stepped = (...result) => {
    steppedAt = performance.now();
    stepped(...result);
  };
  for (let i = 0; i < WARM_UP + steps; i++) {
    if (i === WARM_UP) for (const list of Object.values(samples)) list.length = 0;
    while (scheduler.live < running + waiting) submit();
    await runStep(scheduler, engine, host, clock);
    samples.result.push(performance.now() - steppedAt);
    for (const program of scheduler.programs.values()) {
      if (program.calls.every((call) => call.ended)) scheduler.endProgram(program, clock.now());
    }
  }
  return samples;
}

/** Of the least time that each took in any of the runs. */
function timesOf(runs: readonly (readonly number[])[]): Times {
  const [first] = runs;
  const least = first.map((_, i) => Math.min(...runs.map((run) => run[i])));
  const sorted = least.sort((a, b) => a - b);
  const at = (q: number) => 1000 * (sorted[Math.floor(q * sorted.length)] ?? 0);
  return { p50: at(0.5), p99: at(0.99) };
}

const ITEMS = Array.from({ length: 256 }, (_, i) => ({
  key: (i * 2_654_435_761) % 1009,
  order: i,
}));

/**
 * A fixed piece of work of the same kind as planning. It is timed beside every decision: figures of
 * slow or busy machines compare by their ratio to it.
 */
function reference(): number {
  return [...ITEMS].sort((a, b) => a.key - b.key || a.order - b.order)[0].order;
}

function spec(
  number: number,
  outputTokens: number,
  random: () => number,
  scheduler: Scheduler,
  nowMs: number,
): RequestSpec {
  const id = `r${number}`;
  const slos: Slo[] = [
    { class: 'latency', ttft: 1000 + 3000 * random(), tbt: 100 + 300 * random() },
    { class: 'deadline', ttlt: 10_000 + 600_000 * random() },
    { class: 'program' },
    { class: 'best-effort' },
  ];
  const slo = slos[number % slos.length];
  const program =
    slo.class === 'program'
      ? scheduler.startProgram(
          { id: `p${number}`, app: 'agent', deadlineMs: 30_000 + 600_000 * random() },
          nowMs,
        )
      : undefined;
  const promptTokens = 16 + Math.floor(500 * random());
  return {
    id,
    app: slo.class,
    slo,
    program,
    promptTokens,
    maxTokens: 512,
    truth: { outputTokens },
  };
}

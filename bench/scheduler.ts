import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import {
  createPolicy,
  POLICY_NAMES,
  type Request,
  type RequestSpec,
  runStep,
  Scheduler,
  type Slo,
  seededRandom,
  VirtualClock,
} from '../src/scheduler';
import { CountingEngine } from '../src/scheduler/testing/counting-engine';

interface Row {
  policy: string;
  running: number;
  waiting: number;
  /** Microseconds that one planning decision takes. */
  p50Us: number;
  p99Us: number;
  /** The reference's median, microseconds. */
  referenceUs: number;
}

const RUNNING = [8, 64];
const WAITING = [10, 100, 1000, 10_000];
/** Decisions before the timed ones: the code is compiled, the predictors have data. */
const WARM_UP = 800;
const TIMED = 1200;

/** `npm run bench -- scheduler [--json FILE]`: how long each policy takes to plan one step. */
export async function run(args: string[]): Promise<void> {
  const json = args.indexOf('--json');
  const file = json < 0 ? undefined : args[json + 1];
  const only = args.indexOf('--policies');
  const policies = only < 0 ? POLICY_NAMES : (args[only + 1] ?? '').split(',');
  if (json >= 0 && file === undefined) {
    console.error('--json needs the name of a file.');
    process.exitCode = 1;
    return;
  }
  const rows: Row[] = [];
  console.log(
    'policy        running  waiting   p50 µs   p99 µs   p50 / reference   p99 / reference',
  );
  for (const policy of policies) {
    for (const running of RUNNING) {
      for (const waiting of WAITING) {
        const row = await time(policy, running, waiting);
        rows.push(row);
        const { p50Us, p99Us, referenceUs } = row;
        const ratios = [p50Us, p99Us].map((us) => (us / referenceUs).toFixed(2).padStart(17));
        console.log(
          `${policy.padEnd(12)} ${pad(running)} ${pad(waiting)} ${pad(p50Us.toFixed(1))} ${pad(p99Us.toFixed(1))} ${ratios.join(' ')}`,
        );
      }
    }
  }
  if (file !== undefined) writeFileSync(file, `${JSON.stringify({ rows }, null, 2)}\n`);
}

function pad(cell: string | number): string {
  return String(cell).padStart(8);
}

/**
 * Plans steps of a queue that stays as long as it is: whoever finishes is followed by a newcomer.
 * All four classes, equally many; answers of 20 to 200 tokens. Only `plan` is timed.
 */
async function time(policyName: string, running: number, waiting: number): Promise<Row> {
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
  let submitted = 0;
  const submit = () => {
    const number = submitted++;
    const outputTokens = 20 + Math.floor(180 * random());
    const request = scheduler.submit(
      spec(number, outputTokens, random, scheduler, clock.now()),
      clock.now(),
    );
    lengths.set(request, outputTokens);
  };
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
  const times: number[] = [];
  const plan = scheduler.plan.bind(scheduler);
  const references: number[] = [];
  scheduler.plan = (...now) => {
    const start = performance.now();
    const made = plan(...now);
    const planned = performance.now();
    reference();
    references.push((performance.now() - planned) * 1000);
    times.push((planned - start) * 1000);
    return made;
  };
  for (let i = 0; i < WARM_UP + TIMED; i++) {
    while (scheduler.live < running + waiting) submit();
    await runStep(scheduler, engine, host, clock);
    for (const program of scheduler.programs.values()) {
      if (program.calls.every((call) => call.ended)) scheduler.endProgram(program, clock.now());
    }
  }
  const [p50Us, p99Us] = [quantile(times, 0.5), quantile(times, 0.99)];
  const referenceUs = quantile(references, 0.5);
  return { policy: policyName, running, waiting, p50Us, p99Us, referenceUs };
}

/** Of those after the warm-up. */
function quantile(times: readonly number[], q: number): number {
  const sorted = times.slice(WARM_UP).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
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

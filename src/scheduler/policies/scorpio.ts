import type { PlanBuilder } from '../plan';
import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import type { PolicyAbout, PolicyEntry } from './entry';
import { TOKEN_BUDGET } from './queue';

export const entry: PolicyEntry = { name: 'scorpio', make: () => scorpio() };

export const about: PolicyAbout = {
  origin: 'Scorpio',
  line: 'Prompts by deadline, those that cannot make it last; tokens by credit, which loose answers earn more slowly.',
  order: 'prompts by deadline, tokens by credit',
  words: {
    decodes: 'Has the credit for a token',
    reads: 'Reads {prompt}: first due first, of those that can be in time',
    waits: 'Would make the tightest answer too slow, or cannot be in time',
    pauses: 'Has no credit for a token: it needs them more slowly',
  },
  source: 'Tang et al., arXiv 2505.23022',
};

/** Time between tokens of those that no objective hurries, ms. */
const LOOSE_TPOT_MS = 1000;
/** Predicted step times are raised by this factor before they are held against an objective. */
const INEFFICIENCY = 1.01;

/**
 * Scorpio: two guards. The TTFT guard takes prompts in order of the time left to their TTFT deadline
 * (least deadline first) and leaves out those whose deadline passes before the prompts ahead of them and
 * their own are computed. The TPOT guard admits a prompt only if the step time predicted for the virtual
 * batch size stays within the tightest TPOT objective of all that would run; of those that run, each earns
 * at every step a credit of tightest TPOT / own TPOT (its TRP) and decodes for one whole credit, so that
 * loose answers skip steps. The virtual batch size is the sum of these ratios (Tang et al., "Scorpio:
 * Serving the Right Requests at the Right Time for Heterogeneous SLOs in LLM Inference", arXiv 2505.23022,
 * sections 3.2 to 3.4, algorithm 1; the reserve of 1% as in its code, github.com/MisterBrookT/Scorpio).
 *
 * Published are requests with both a TTFT and a TPOT objective, and rejection of the unattainable. Decided
 * here: no policy may reject, so that they come last, as in the code's variant with delays; an answer with
 * a deadline has half of its time for its first token and the other half for the rest, at its median
 * length, and a program's call as much of the program's time as there are stages to come, but neither
 * needs its tokens faster than a full batch makes them, which would keep everybody else out; what no
 * objective hurries gets a token a second while others are tighter. Memory bounds how many run, and more
 * may than a step has places; who has no credit takes a place that is left over while the step stays
 * within the tightest TPOT, for nobody else could use it. Prompts are chunked as by Sarathi-Serve.
 */
export function scorpio(tokenBudget = TOKEN_BUDGET): Policy {
  const guarded = new Map<Request, Guarded>();
  return {
    name: 'scorpio',
    submitted(request, view) {
      guarded.set(request, { ...objectivesOf(request, view), credit: 0 });
    },
    ended(request) {
      guarded.delete(request);
    },
    plan(view, builder) {
      const of = (request: Request) => guarded.get(request) ?? UNHURRIED;
      const running = new Running(view, of);
      const decoding = view.resident.filter((request) => request.decoding);
      const decode = () => {
        for (const request of decoding) decodeForCredit(request, of(request), running, builder);
      };
      // Where prompts and decodes cannot share a step, prompts go first.
      if (view.capabilities.mixedSteps) decode();
      prefill(running, tokenBudget - builder.batch, of, view, builder);
      if (!view.capabilities.mixedSteps) decode();
      decodeBeside(decoding, running, of, view, builder);
    },
  };
}

/** What the guards know of a request. */
interface Guarded {
  /** When its first token is due, ms. */
  dueMs: number;
  /** Time between its tokens, ms. */
  tpotMs: number;
  /** Decodes that it has earned. */
  credit: number;
}

const UNHURRIED: Guarded = {
  dueMs: Number.POSITIVE_INFINITY,
  tpotMs: LOOSE_TPOT_MS,
  credit: 0,
};

function objectivesOf(request: Request, view: SchedulerView): Pick<Guarded, 'dueMs' | 'tpotMs'> {
  if (request.slo.class === 'latency') {
    return { dueMs: request.tokenDueMs(request.generated), tpotMs: request.slo.tbt };
  }
  if (request.deadlineMs === Number.POSITIVE_INFINITY) return UNHURRIED;
  const { program, arrivalMs } = request;
  let stages = 1;
  if (program !== undefined) {
    for (const future of view.graphs.futures(program)) stages += future.weight * future.stages;
  }
  const halfMs = (request.deadlineMs - arrivalMs) / stages / 2;
  const pace = halfMs / view.lengths.remaining(request, 0.5);
  return {
    dueMs: arrivalMs + halfMs,
    tpotMs: Math.min(Math.max(pace, fullStepMs(request, view)), LOOSE_TPOT_MS),
  };
}

/** What a step of a full batch of such requests takes, with the reserve, ms. */
function fullStepMs(request: Request, { capabilities, capacity, cost }: SchedulerView): number {
  const decodes = capabilities.batchedDecode ? capacity.maxBatch : 1;
  const contextTokens = decodes * request.promptTokens;
  return INEFFICIENCY * cost.stepMs({ decodes, contextTokens, prefillTokens: 0 });
}

function decodeForCredit(
  request: Request,
  guarded: Guarded,
  running: Running,
  builder: PlanBuilder,
): void {
  guarded.credit += running.trp(guarded.tpotMs);
  if (guarded.credit < 1 - 1e-9) {
    builder.skip(request, 'queued');
    return;
  }
  // What it cannot spend for other reasons it does not hoard.
  const ran = builder.add(request, 'in-order') > 0;
  guarded.credit = ran ? guarded.credit - 1 : 1;
}

/** Decodes without a credit, who is nearest to one first, while the step stays within the tightest TPOT. */
function decodeBeside(
  decoding: readonly Request[],
  running: Running,
  of: (request: Request) => Guarded,
  view: SchedulerView,
  builder: PlanBuilder,
): void {
  const shape = { decodes: 0, contextTokens: 0, prefillTokens: 0 };
  const count = (request: Request) => {
    shape.decodes++;
    shape.contextTokens += request.knownTokens;
  };
  for (const { request } of builder.work) if (request.decoding) count(request);
  const others = decoding.filter((request) => !builder.has(request));
  for (const request of others.sort((a, b) => of(b).credit - of(a).credit)) {
    count(request);
    if (INEFFICIENCY * view.cost.stepMs(shape) > running.tightestMs) return;
    if (builder.batch >= builder.maxBatch) return;
    builder.add(request, 'in-order');
  }
}

/** Chunks of prompts: those begun, then those that the guards let in. */
function prefill(
  running: Running,
  tokens: number,
  of: (request: Request) => Guarded,
  view: SchedulerView,
  builder: PlanBuilder,
): void {
  let left = tokens;
  const take = (request: Request) => {
    const options = view.capabilities.continuedPrefill ? { maxTokens: left } : {};
    const taken = builder.add(request, 'in-order', {}, options);
    left -= taken;
    return taken;
  };
  for (const request of view.resident) if (!request.decoding && left > 0) take(request);
  if (left < 1 || view.waiting.length === 0 || builder.freeSequences <= 0) return;
  for (const request of attainableFirst(of, view)) {
    if (left < 1 || builder.batch >= builder.maxBatch) return;
    if (!running.admits(request) || !holds(request, view, builder)) continue;
    if (take(request) > 0) running.join(request);
  }
}

/** Whether the engine holds one more, its whole prompt and 1% of the pages to spare: more may run than are in a step. */
function holds(
  request: Request,
  { capacity, resident }: SchedulerView,
  builder: PlanBuilder,
): boolean {
  if (builder.freeSequences <= 0) return false;
  const pages = builder.pagesFor(request, request.knownTokens);
  return builder.freePages - pages >= capacity.totalPages / 100 || resident.length === 0;
}

/** The waiting by deadline; those who cannot make it come after all others. */
function attainableFirst(of: (request: Request) => Guarded, view: SchedulerView): Request[] {
  const { perPrefillTokenMs, baseMs } = view.cost.costs;
  const sorted = view.waiting.map((request) => ({ request, dueMs: of(request).dueMs }));
  sorted.sort((a, b) =>
    a.dueMs === b.dueMs ? a.request.order - b.request.order : a.dueMs - b.dueMs,
  );
  const inTime: Request[] = [];
  const late: Request[] = [];
  let atMs = view.now + baseMs;
  for (const { request, dueMs } of sorted) {
    const ownMs = (request.knownTokens - request.cachedTokens) * perPrefillTokenMs;
    if (atMs + ownMs > dueMs) {
      late.push(request);
      continue;
    }
    atMs += ownMs;
    inTime.push(request);
  }
  return [...inTime, ...late];
}

/** Those that run, as the TPOT guard sees them. */
class Running {
  readonly #view: SchedulerView;
  readonly #of: (request: Request) => Guarded;
  #count = 0;
  /** Least TPOT, ms. */
  tightestMs = Number.POSITIVE_INFINITY;
  /** Sum of 1 / TPOT. */
  #rate = 0;
  #contextTokens = 0;

  constructor(view: SchedulerView, of: (request: Request) => Guarded) {
    this.#view = view;
    this.#of = of;
    for (const request of view.resident) this.join(request);
  }

  join(request: Request): void {
    const { tpotMs } = this.#of(request);
    this.#count++;
    this.tightestMs = Math.min(this.tightestMs, tpotMs);
    this.#rate += 1 / tpotMs;
    this.#contextTokens += request.knownTokens;
  }

  /** TPOT-relative proportionality: how often who runs is to decode, as a share of the steps. */
  trp(tpotMs: number): number {
    return this.tightestMs / tpotMs;
  }

  /** Whether all would still get their tokens in time beside one more. Somebody always runs. */
  admits(request: Request): boolean {
    if (this.#count === 0) return true;
    const { tpotMs } = this.#of(request);
    const tightest = Math.min(this.tightestMs, tpotMs);
    const virtualBatch = tightest * (this.#rate + 1 / tpotMs);
    const context = (this.#contextTokens + request.knownTokens) / (this.#count + 1);
    const shape = {
      decodes: virtualBatch,
      contextTokens: virtualBatch * context,
      prefillTokens: 0,
    };
    return INEFFICIENCY * this.#view.cost.stepMs(shape) <= tightest;
  }
}

import type { PlanBuilder } from '../plan';
import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import type { PolicyAbout, PolicyEntry } from './entry';
import { fits, TOKEN_BUDGET } from './queue';

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
 * Scorpio: two guards. The TTFT guard takes prompts in order of the time left to their TTFT deadline (least
 * deadline first) and leaves out those whose deadline passes before the prompts ahead of them and their own
 * are computed. The TPOT guard admits a prompt only if the step time predicted for the virtual batch size stays
 * within the tightest TPOT objective of all that would run; of those that run, each earns at every step a
 * credit of tightest TPOT / own TPOT (its TRP) and decodes for one whole credit, so that loose answers skip
 * steps. The virtual batch size is the sum of these ratios (Tang et al., "Scorpio: Serving the Right
 * Requests at the Right Time for Heterogeneous SLOs in LLM Inference", arXiv 2505.23022, section 3,
 * algorithm 1; the code's least credit, and its 1% of reserve).
 *
 * Published are requests with both a TTFT and a TPOT objective, and rejection of the unattainable. Decided here:
 * no policy may reject, so that they come last, as in the code's variant with delays; an answer with a
 * deadline, and a program's call, needs its tokens at the pace that its predicted length leaves, and its
 * prompt by when decoding in every step would just do; what no objective hurries, or what is late, gets a
 * token a second while others are tighter. Prompts are chunked as by Sarathi-Serve.
 */
export function scorpio(tokenBudget = TOKEN_BUDGET): Policy {
  const credits = new Map<Request, number>();
  return {
    name: 'scorpio',
    ended(request) {
      credits.delete(request);
    },
    plan(view, builder) {
      const running = new Running(view);
      const decode = () => {
        for (const request of view.resident) {
          if (!request.decoding) continue;
          const credit = (credits.get(request) ?? 0) + running.trp(request);
          const enough = credit >= 1 - 1e-9;
          const ran = enough && builder.add(request, 'in-order') > 0;
          if (!enough) builder.skip(request, 'queued');
          // What it could not spend for other reasons it does not hoard.
          credits.set(request, ran ? credit - 1 : Math.min(credit, 1));
        }
      };
      // Where prompts and decodes cannot share a step, prompts go first.
      if (view.capabilities.mixedSteps) decode();
      prefill(running, tokenBudget - builder.batch, view, builder);
      if (!view.capabilities.mixedSteps) decode();
    },
  };
}

/** A prompt that waits, and the latest time at which it must be done, ms. */
interface Waiting {
  request: Request;
  dueMs: number;
}

/** Chunks of prompts: those begun, then those that the guards let in. */
function prefill(
  running: Running,
  tokens: number,
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
  for (const { request } of attainableFirst(view)) {
    if (left < 1 || builder.batch >= builder.maxBatch) return;
    if (!running.admits(request) || !fits(request, view, builder)) continue;
    if (take(request) > 0) running.join(request);
  }
}

/** The waiting by deadline; those who cannot make it come after all others. */
function attainableFirst(view: SchedulerView): Waiting[] {
  const { perPrefillTokenMs, baseMs } = view.cost.costs;
  const sorted = view.waiting.map((request) => ({ request, dueMs: promptDueMs(request, view) }));
  sorted.sort((a, b) =>
    a.dueMs === b.dueMs ? a.request.order - b.request.order : a.dueMs - b.dueMs,
  );
  const late: Waiting[] = [];
  let atMs = view.now + baseMs;
  const inTime = sorted.filter((one) => {
    const ownMs = (one.request.knownTokens - one.request.cachedTokens) * perPrefillTokenMs;
    if (atMs + ownMs > one.dueMs) {
      late.push(one);
      return false;
    }
    atMs += ownMs;
    return true;
  });
  return [...inTime, ...late];
}

/** When the request's first token is due; of an answer with a deadline, when it has to begin to decode, ms. */
function promptDueMs(request: Request, view: SchedulerView): number {
  if (request.class === 'latency') return request.tokenDueMs(request.generated);
  const { deadlineMs } = request;
  if (deadlineMs === Number.POSITIVE_INFINITY) return deadlineMs;
  return deadlineMs - view.lengths.remaining(request, 0.5) * leastStepMs(request, view);
}

/** Time between tokens that the request needs, ms. */
function tpotMs(request: Request, view: SchedulerView): number {
  if (request.slo.class === 'latency') return request.slo.tbt;
  const { deadlineMs } = request;
  if (deadlineMs === Number.POSITIVE_INFINITY) return LOOSE_TPOT_MS;
  const pace = (deadlineMs - view.now) / view.lengths.remaining(request, 0.5);
  return pace < leastStepMs(request, view) ? LOOSE_TPOT_MS : Math.min(pace, LOOSE_TPOT_MS);
}

function leastStepMs(request: Request, view: SchedulerView): number {
  return view.cost.costs.baseMs + view.cost.decodeMs(request.knownTokens);
}

/** Those that run, as the TPOT guard sees them. */
class Running {
  readonly #view: SchedulerView;
  readonly #tpots = new Map<Request, number>();
  /** Least TPOT, ms. */
  #tightest = Number.POSITIVE_INFINITY;
  /** Sum of 1 / TPOT. */
  #rate = 0;
  #contextTokens = 0;

  constructor(view: SchedulerView) {
    this.#view = view;
    for (const request of view.resident) this.join(request);
  }

  join(request: Request): void {
    const tpot = tpotMs(request, this.#view);
    this.#tpots.set(request, tpot);
    this.#tightest = Math.min(this.#tightest, tpot);
    this.#rate += 1 / tpot;
    this.#contextTokens += request.knownTokens;
  }

  /** TPOT-relative proportionality: how often it is to decode, as a share of the steps. */
  trp(request: Request): number {
    return this.#tightest / (this.#tpots.get(request) ?? this.#tightest);
  }

  /** Whether all would still get their tokens in time beside one more. Somebody always runs. */
  admits(request: Request): boolean {
    if (this.#tpots.size === 0) return true;
    const tpot = tpotMs(request, this.#view);
    const tightest = Math.min(this.#tightest, tpot);
    const virtualBatch = tightest * (this.#rate + 1 / tpot);
    const context = (this.#contextTokens + request.knownTokens) / (this.#tpots.size + 1);
    const shape = {
      decodes: virtualBatch,
      contextTokens: virtualBatch * context,
      prefillTokens: 0,
    };
    return INEFFICIENCY * this.#view.cost.stepMs(shape) <= tightest;
  }
}

import type { PlanBuilder } from '../plan';
import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import { BudgetedStep } from './budgeted-step';
import type { PolicyAbout, PolicyEntry } from './entry';
import { fits, lowest } from './queue';

export const entry: PolicyEntry = { name: 'niyama', aliases: ['qoserve'], make: niyama };

export const about: PolicyAbout = {
  origin: 'Niyama (QoServe)',
  line: 'Least of due time and work to go first; who will be late steps back; prompts fill what slack decodes have.',
  order: 'least of due time and work to go first',
  words: {
    decodes: 'Runs, so it gets a token in every step',
    reads: 'Reads {prompt}: {order}',
    pauses: 'The slack of this step is spent',
  },
  source: 'Goel et al., ASPLOS ’26, arXiv 2503.22562',
};

/** How many ms of its due time a token of work to go counts as: while nobody is late, and while somebody is. */
const ALPHA = 1;
const ALPHA_LOADED = 8;
/** The quantile of output length planned with: some two standard deviations above the mean. */
const LENGTH_QUANTILE = 0.95;
/** Prompt tokens that a step takes at most. */
const MAX_CHUNK = 2048;
/** Prompts that are looked at for a step. */
const LOOKED_AT = 64;

/** Above every due time, ms: who was relegated comes after all others. */
const RELEGATED = 1e12;

/**
 * Niyama, published later as QoServe: hybrid prioritization, dynamic chunks and eager relegation.
 * Everybody who decodes is in every step. The step may take as long as the least slack among them, and
 * takes as many prompt tokens as that allows (dynamic chunking). Prompts are taken in order of arrival +
 * TTFT objective + α · prompt tokens to go for streams, and of arrival + TTLT objective + α · (prompt and
 * output tokens to go) for others: α = 0 is earliest deadline first, a large α shortest remaining first.
 * Who is late, or will be whatever happens, is relegated behind all others. A prompt that was begun may be
 * passed over for one that goes before it, unless that makes it late; decodes are never preempted (Goel et
 * al., "Niyama: Breaking the Silos of LLM Inference Serving", arXiv 2503.22562, as "QoServe" at ASPLOS
 * '26, section 3 and algorithm 1 there).
 *
 * Published is α = 8 ms a token under load and 1 otherwise; here load means that somebody waits who is
 * relegated. Published is an output length two standard deviations above the application's mean; here it
 * is the 95% quantile. Decided here: a stream that is late already binds the step with its time between
 * tokens; answers and programs bind it with what is left after their decodes; best-effort work counts as
 * relegated from the start; at most a batch runs, as the engine has it; the cost model takes the place of
 * the random forest.
 */
export function niyama(): Policy {
  let loaded = false;
  return {
    name: 'niyama',
    plan(view, builder) {
      const alpha = loaded ? ALPHA_LOADED : ALPHA;
      const budgetMs = leastSlackMs(view);
      const step = new BudgetedStep(view, builder, MAX_CHUNK);
      const decode = () => {
        step.budgetMs = Number.POSITIVE_INFINITY;
        for (const request of view.resident) if (request.decoding) step.decode(request);
      };
      const prefill = () => {
        step.budgetMs = budgetMs;
        loaded = fill(step, alpha, budgetMs, view, builder);
      };
      // Where prompts and decodes cannot share a step, prompts go first.
      for (const take of view.capabilities.mixedSteps ? [decode, prefill] : [prefill, decode])
        take();
    },
  };
}

/** Takes prompts in order. Returns whether somebody among them was relegated who has an objective. */
function fill(
  step: BudgetedStep,
  alpha: number,
  budgetMs: number,
  view: SchedulerView,
  builder: PlanBuilder,
): boolean {
  let late = false;
  const rank = (request: Request) => {
    const spareMs = leftMs(request, view);
    if (spareMs < 0) late = true;
    if (spareMs < 0 || spareMs === Number.POSITIVE_INFINITY) return RELEGATED + request.arrivalMs;
    // It would be late if it were passed over.
    if (request.resident && spareMs < budgetMs) return spareMs - RELEGATED;
    return request.nextDueMs + alpha * tokensToGo(request, view);
  };
  const begun = view.resident.filter((request) => !request.decoding);
  for (const request of lowest([begun, view.waiting], LOOKED_AT, rank)) {
    if (!request.resident && !fits(request, view, builder)) continue;
    if (!step.prefill(request) && request.decision.reason === 'tbt-guard') break;
  }
  return late;
}

/** How long a step may take for those who decode, ms. */
function leastSlackMs(view: SchedulerView): number {
  let least = Number.POSITIVE_INFINITY;
  for (const request of view.resident) {
    if (!request.decoding) continue;
    const slackMs = leftMs(request, view);
    if (slackMs >= view.cost.costs.baseMs) least = Math.min(least, slackMs);
    else if (request.slo.class === 'latency') least = Math.min(least, request.slo.tbt);
  }
  return least;
}

/** Prompt tokens to go, and output tokens where they count. */
function tokensToGo(request: Request, view: SchedulerView): number {
  const prompt = request.decoding ? 0 : pendingTokens(request);
  return request.class === 'latency'
    ? prompt
    : prompt + view.lengths.remaining(request, LENGTH_QUANTILE);
}

/** Time left to what is due next after all the work that it takes, ms; below 0 it will be late. */
function leftMs(request: Request, view: SchedulerView): number {
  const { baseMs, perPrefillTokenMs } = view.cost.costs;
  const due = request.nextDueMs;
  if (due === Number.POSITIVE_INFINITY) return due;
  const prefillMs = request.decoding ? 0 : pendingTokens(request) * perPrefillTokenMs + baseMs;
  const decodeMs =
    request.class === 'latency' ? 0 : baseMs + view.cost.decodeMs(request.knownTokens);
  const output = decodeMs === 0 ? 0 : view.lengths.remaining(request, LENGTH_QUANTILE);
  return due - view.now - prefillMs - output * decodeMs;
}

function pendingTokens(request: Request): number {
  return request.knownTokens - request.coveredTokens;
}

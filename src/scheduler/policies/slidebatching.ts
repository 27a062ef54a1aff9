import type { PlanBuilder } from '../plan';
import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import { BudgetedStep } from './budgeted-step';
import type { PolicyAbout, PolicyEntry } from './entry';
import { TOKEN_BUDGET } from './queue';

export const entry: PolicyEntry = {
  name: 'slidebatching',
  make: () => slidebatching(),
};

export const about: PolicyAbout = {
  origin: 'ProServe',
  line: 'Who cannot wait for all others first, by gain per unit of work; the rest by deadline.',
  order: 'who cannot wait for all others first',
  goesBy: 'due',
  source: 'ProServe, arXiv 2512.12928',
};

/** The step's time is at least this share of the tightest time between tokens. */
const LEAST_BUDGET_SHARE = 0.65;
/** A longer prompt's chunk has at least so many tokens. */
const LEAST_CHUNK = 51;

/** A request as the rule sees it. */
interface Candidate {
  request: Request;
  /** Its work in this step: a decode, or its whole pending prompt, ms. */
  workMs: number;
  /** Time to its next obligation, ms; Infinity if there is none. */
  leftMs: number;
  /** Its objective as a span, ms. */
  sloMs: number;
  /** Gain per ms of work. */
  density: number;
}

/**
 * SlideBatching: requests that could not wait for all others to be served come first, by density, and the
 * rest by deadline; how many are urgent slides with the load (ProServe: arXiv 2512.12928, section 4; as in
 * its code, xLLM's unified_policy.cpp and priority_comparator.cpp). With e the predicted time of a
 * request's work, c the part of a step's time that is always there, and the budget B = max(least time left
 * among those that can still make it, 0.65 of the least time between tokens), urgent is who has less time
 * left than Σe · B / (B − c), which is how long everybody takes. Of the urgent, decodes come first; then
 * prompts that are later than one objective long, by deadline, so that nobody starves; then the other
 * prompts by density, which is weight over e. The step is filled from the front until B is spent: nobody
 * goes ahead of one for whom too little of it is left, and a prompt that does not fit whole is given 51
 * tokens or none. Who needs a place or pages takes them from the last in line.
 *
 * Decided here: weights are the scheduler's service gain; an answer's and a program's obligation is its
 * deadline less the decodes that are still to come; pages are lost to others only once, since there is no
 * copy of them to come back to.
 */
export function slidebatching(tokenBudget = TOKEN_BUDGET): Policy {
  return {
    name: 'slidebatching',
    plan(view, builder) {
      const all = [...view.resident, ...view.waiting].map((request) => candidate(request, view));
      const budgetMs = budgetOf(all, view);
      const fixedMs = view.cost.costs.baseMs;
      const workMs = all.reduce((sum, { workMs }) => sum + workMs, 0);
      const stretch = budgetMs === Infinity ? 1 : budgetMs / Math.max(1e-6, budgetMs - fixedMs);
      const boundaryMs = budgetMs > fixedMs ? workMs * stretch : Number.POSITIVE_INFINITY;
      all.sort((a, b) => place(a, boundaryMs) - place(b, boundaryMs) || within(a, b, boundaryMs));
      const step = new BudgetedStep(view, builder, tokenBudget);
      step.budgetMs = budgetMs;
      const last = all.flatMap(({ request }, at) =>
        request.resident && request.preemptions === 0 ? { request, at } : [],
      );
      for (const [at, { request }] of all.entries()) {
        if (builder.batch >= builder.maxBatch) return;
        if (request.resident && request.decoding) step.decode(request);
        else if (makePlace(request, at, last, tokenBudget, builder))
          step.prefill(request, LEAST_CHUNK);
        else continue;
        if (request.decision.reason === 'tbt-guard') return;
      }
    },
  };
}

function candidate(request: Request, view: SchedulerView): Candidate {
  const { slo } = request;
  const { costs } = view.cost;
  const decodeMs = view.cost.decodeMs(request.knownTokens);
  const pending = request.knownTokens - request.coveredTokens;
  const workMs = request.decoding ? decodeMs : Math.max(1e-3, pending * costs.perPrefillTokenMs);
  const { inputWeight, outputWeight, bestEffortWeight } = view.gain;
  const scale = slo.class === 'best-effort' ? bestEffortWeight : 1;
  const gain = request.decoding ? outputWeight : inputWeight * pending + outputWeight;
  const comingMs =
    slo.class === 'latency' ? 0 : view.lengths.remaining(request, 0.5) * (costs.baseMs + decodeMs);
  const dueMs = request.nextDueMs;
  return {
    request,
    workMs,
    leftMs: dueMs - comingMs - view.now,
    sloMs: slo.class === 'latency' ? slo.ttft : dueMs - request.arrivalMs,
    density: (scale * gain) / workMs,
  };
}

/** The step's time, ms; Infinity where nobody has an objective. */
function budgetOf(all: readonly Candidate[], { cost }: SchedulerView): number {
  const { baseMs } = cost.costs;
  let leastLeftMs = Number.POSITIVE_INFINITY;
  let leastTbtMs = Number.POSITIVE_INFINITY;
  for (const { request, leftMs, workMs } of all) {
    if (leftMs >= baseMs + workMs) leastLeftMs = Math.min(leastLeftMs, leftMs);
    if (request.slo.class === 'latency') leastTbtMs = Math.min(leastTbtMs, request.slo.tbt);
  }
  if (leastTbtMs === Number.POSITIVE_INFINITY) return leastLeftMs;
  const floorMs = LEAST_BUDGET_SHARE * leastTbtMs;
  return leastLeftMs === Number.POSITIVE_INFINITY ? floorMs : Math.max(leastLeftMs, floorMs);
}

/** Urgent decodes, prompts that are later than one objective long, other urgent prompts, and the rest. */
function place({ request, leftMs, sloMs }: Candidate, boundaryMs: number): number {
  if (leftMs >= boundaryMs) return 3;
  if (request.decoding) return 0;
  return leftMs < -sloMs ? 1 : 2;
}

function within(a: Candidate, b: Candidate, boundaryMs: number): number {
  const byDensity = place(a, boundaryMs) === 0 || place(a, boundaryMs) === 2;
  if (byDensity && a.density !== b.density) return b.density - a.density;
  if (a.leftMs !== b.leftMs) return a.leftMs < b.leftMs ? -1 : 1;
  return a.request.order - b.request.order;
}

/** Whether a newcomer can begin; the last in line give their places and pages up for it, each only once. */
function makePlace(
  request: Request,
  at: number,
  last: { request: Request; at: number }[],
  tokenBudget: number,
  builder: PlanBuilder,
): boolean {
  if (request.resident) return true;
  const pages = builder.pagesFor(
    request,
    Math.min(request.knownTokens, request.cachedTokens + tokenBudget),
  );
  const lacking = () => builder.freeSequences <= 0 || builder.freePages < pages;
  for (let one = last.at(-1); one !== undefined && one.at > at && lacking(); one = last.at(-1)) {
    builder.preempt(one.request);
    last.pop();
  }
  return builder.freeSequences > 0;
}

import { weightedTokens } from '../gain';
import type { PlanBuilder } from '../plan';
import type { Policy } from '../policy';
import type { Request } from '../request';
import type { SchedulerView } from '../view';
import { BudgetedStep } from './budgeted-step';
import type { PolicyAbout, PolicyEntry } from './entry';
import { fits, lowest } from './queue';

export const entry: PolicyEntry = { name: 'slosserve', make: slosserve };

export const about: PolicyAbout = {
  origin: 'SLOs-Serve',
  line: 'Promises those who together are worth most and can all be in time; the others get what they leave.',
  order: 'the promised first, the rest in what they leave',
  goesBy: 'due',
  source: 'Chen et al., arXiv 2504.08784',
};

/** Newcomers that the dynamic program chooses among, the soonest due first. */
const CANDIDATES = 32;
/** States kept for each number of accepted newcomers. */
const FRONT = 3;
/** Steps after which it is asked again although nobody came or left. */
const REPLAN_STEPS = 20;
/** The quantile of output length planned with. */
const LENGTH_QUANTILE = 0.5;

/** What a request asks of the engine if it is promised to be in time. */
interface Ask {
  request: Request;
  /** Its prompt must be computed by then, ms; where it is, now. */
  dueMs: number;
  /** Prompt tokens to compute. */
  tokens: number;
  /** Time between its tokens, ms. */
  paceMs: number;
  /** What it earns. */
  value: number;
  /** KV pages that it will hold. */
  pages: number;
}

/**
 * SLOs-Serve: a dynamic program chooses the requests that are promised their objectives, soft admission
 * serves the others with what is left. Requests are gone through by the deadline of their prompts; a state
 * is how many were accepted, what they earn, how many pages they hold, what decodes they add to every
 * step, and the prompt tokens that could still have been computed by that deadline (the prefill budget):
 * between two deadlines as many are gained as steps hold beside the decodes accepted so far, and each
 * accepted prompt spends its own. Steps are as long as the tightest time between tokens of the accepted
 * allows, so that they hold as much as they may (dynamic batch size), and take the tokens that are due
 * before the next step, then prompts of the promised by deadline, then whatever else there is room for.
 * Who was promised stays so; who is declined is best effort, and gives way where pages or places are short
 * (Chen et al., "SLOs-Serve: Optimized Serving of Multi-SLO LLMs", arXiv 2504.08784, algorithm 1; state,
 * dominance and batches as in its authors' code, github.com/gulang2019/SLOServe, promax_spec_sch.cc).
 *
 * Published are few tiers of TPOT, whose numbers of accepted requests are the state, any number of new
 * requests, and speculative decoding. Decided here: the decodes of all tiers are one sum of rates, so that
 * plans take less than a millisecond, with three states that none dominates for each number of requests;
 * of those who wait the 32 soonest due that could still be in time are asked for; no speculation. A
 * request's worth is the scheduler's service gain. An answer with a deadline, or a program's call, is
 * given a prompt deadline and a pace that stretch both parts of its work alike to fill its time; who was
 * declined is asked for again while it could be in time.
 */
export function slosserve(): Policy {
  let promised = new Set<Request>();
  let stale = true;
  let steps = 0;
  return {
    name: 'slosserve',
    submitted() {
      stale = true;
    },
    ended(request) {
      promised.delete(request);
      stale = true;
    },
    plan(view, builder) {
      if (stale || ++steps >= REPLAN_STEPS) {
        promised = promise(promised, view);
        stale = false;
        steps = 0;
      }
      serve(promised, view, builder);
    },
  };
}

/** The requests that are promised their objectives from now on: those that were and still can, and the best of the others. */
function promise(before: ReadonlySet<Request>, view: SchedulerView): Set<Request> {
  const kept: Ask[] = [];
  for (const list of [view.resident, view.waiting]) {
    for (const request of list) {
      const ask = before.has(request) ? askOf(request, view) : undefined;
      if (ask !== undefined) kept.push(ask);
    }
  }
  const others = (request: Request) => !before.has(request);
  const soonest = lowest(
    [view.resident.filter(others), view.waiting.filter(others)],
    CANDIDATES,
    (request) => urgency(request, view),
  );
  const asks = soonest.map((request) => askOf(request, view)).filter((ask) => ask !== undefined);
  const chosen = choose(kept, asks, view);
  return new Set([...kept, ...chosen].map(({ request }) => request));
}

/** When a request that may still be in time is due, ms; Infinity of all others. */
function urgency(request: Request, view: SchedulerView): number {
  const { nextDueMs } = request;
  return nextDueMs < view.now ? Number.POSITIVE_INFINITY : nextDueMs;
}

/** Undefined where it cannot be in time, or need not be. */
function askOf(request: Request, view: SchedulerView): Ask | undefined {
  const { costs } = view.cost;
  const tokens = request.decoding ? 0 : request.knownTokens - request.coveredTokens;
  const prefillMs = tokens === 0 ? 0 : costs.baseMs + tokens * costs.perPrefillTokenMs;
  const output = view.lengths.remaining(request, LENGTH_QUANTILE);
  const leastMs = costs.baseMs + view.cost.decodeMs(request.knownTokens);
  let dueMs: number;
  let paceMs: number;
  if (request.slo.class === 'latency') {
    dueMs = request.tokenDueMs(request.generated);
    paceMs = request.slo.tbt;
  } else {
    const stretch = (request.deadlineMs - view.now) / (prefillMs + output * leastMs);
    if (stretch === Number.POSITIVE_INFINITY) return undefined;
    dueMs = view.now + stretch * prefillMs;
    paceMs = stretch * leastMs;
  }
  if (paceMs < leastMs || (tokens > 0 && dueMs < view.now + prefillMs)) return undefined;
  return {
    request,
    dueMs: tokens > 0 ? dueMs : view.now,
    tokens,
    paceMs,
    value: weightedTokens(request, request.generated + output, view.gain),
    pages: Math.ceil((request.knownTokens + output) / view.capacity.pageSize),
  };
}

/** What has been accepted, up to a deadline. */
interface State {
  value: number;
  pages: number;
  /** Decodes per ms that the accepted need. */
  rate: number;
  /** Least time between tokens of the accepted, ms. */
  tightestMs: number;
  /** Prompt tokens that could have been computed by now beside all that was accepted. */
  budget: number;
  /** The newcomers accepted, latest first. */
  chosen: Chosen | undefined;
}

interface Chosen {
  ask: Ask;
  before: Chosen | undefined;
}

/** Of `asks`, those that are worth most and can all be in time beside `kept`, which has been promised. */
function choose(kept: readonly Ask[], asks: readonly Ask[], view: SchedulerView): Ask[] {
  const speed = new Speed(view);
  const start: State = {
    value: 0,
    pages: 0,
    rate: 0,
    tightestMs: Number.POSITIVE_INFINITY,
    budget: 0,
    chosen: undefined,
  };
  const places = Math.max(0, view.capacity.maxSequences - kept.length);
  const isKept = new Set(kept);
  const all = [...kept, ...asks].sort((a, b) => a.dueMs - b.dueMs);
  // By the number of newcomers accepted.
  let table: State[][] = [[start]];
  let atMs = view.now;
  for (const ask of all) {
    const spanMs = ask.dueMs - atMs;
    atMs = ask.dueMs;
    for (const front of table) {
      for (const state of front) state.budget += spanMs * speed.promptTokensPerMs(state);
    }
    if (isKept.has(ask)) {
      // A promise is kept even where it turns out to cost more than there is.
      table = table.map((front) => front.map((state) => accepted(state, ask, state.chosen)));
      for (const state of table.flat()) state.budget = Math.max(0, state.budget);
      continue;
    }
    for (let count = Math.min(table.length, places); count >= 1; count--) {
      const front = table[count] ?? [];
      for (const state of table[count - 1]) {
        const next = accepted(state, ask, { ask, before: state.chosen });
        const fitting = next.budget >= 0 && next.pages <= view.capacity.totalPages;
        if (fitting && speed.holds(next)) insert(front, next);
      }
      if (front.length > 0) table[count] = front;
    }
  }
  let best = start;
  for (const state of table.flat()) if (state.value > best.value) best = state;
  const chosen: Ask[] = [];
  for (let one = best.chosen; one !== undefined; one = one.before) chosen.push(one.ask);
  return chosen;
}

function accepted(state: State, ask: Ask, chosen: Chosen | undefined): State {
  return {
    value: state.value + (chosen === state.chosen ? 0 : ask.value),
    pages: state.pages + ask.pages,
    rate: state.rate + 1 / ask.paceMs,
    tightestMs: Math.min(state.tightestMs, ask.paceMs),
    budget: state.budget - ask.tokens,
    chosen,
  };
}

/** Keeps the states that none dominates; of too many those worth most. */
function insert(front: State[], state: State): void {
  if (front.some((one) => dominates(one, state))) return;
  for (let i = front.length - 1; i >= 0; i--) if (dominates(state, front[i])) front.splice(i, 1);
  let at = front.length;
  while (at > 0 && front[at - 1].value < state.value) at--;
  front.splice(at, 0, state);
  if (front.length > FRONT) front.pop();
}

function dominates(a: State, b: State): boolean {
  return a.value >= b.value && a.budget >= b.budget && a.pages <= b.pages && a.rate <= b.rate;
}

/** How fast the engine is beside what was accepted. */
class Speed {
  readonly #view: SchedulerView;
  /** Context of a decode, tokens. */
  readonly #contextTokens: number;

  constructor(view: SchedulerView) {
    this.#view = view;
    const { resident } = view;
    const known = resident.reduce((sum, request) => sum + request.knownTokens, 0);
    this.#contextTokens = resident.length === 0 ? 0 : known / resident.length;
  }

  /** Whether steps hold the decodes of the accepted, in time and in places. */
  holds({ rate, tightestMs }: State): boolean {
    const { capabilities, capacity } = this.#view;
    const decodes = rate * tightestMs;
    const places = capabilities.batchedDecode ? capacity.maxBatch : 1;
    return decodes <= places && this.#decodeStepMs(decodes) <= tightestMs;
  }

  /** Prompt tokens per ms in steps as long as the tightest pace allows, and no longer than the engine makes them. */
  promptTokensPerMs({ rate, tightestMs }: State): number {
    const { costs } = this.#view.cost;
    const { maxPrefillTokens } = this.#view.capacity;
    const perTokenMs = Math.max(1e-6, costs.perPrefillTokenMs);
    const fullMs = costs.baseMs + maxPrefillTokens * perTokenMs;
    const stepMs = Math.min(tightestMs, fullMs);
    const leftMs = stepMs - this.#decodeStepMs(rate * stepMs);
    return Math.max(0, leftMs) / perTokenMs / stepMs;
  }

  #decodeStepMs(decodes: number): number {
    const contextTokens = decodes * this.#contextTokens;
    return this.#view.cost.stepMs({ decodes, contextTokens, prefillTokens: 0 });
  }
}

/** The promised as it takes to keep the promises, then they and the others with what is left of the step. */
function serve(promised: ReadonlySet<Request>, view: SchedulerView, builder: PlanBuilder): void {
  const step = new BudgetedStep(view, builder, view.capacity.maxPrefillTokens);
  const asks: Ask[] = [];
  for (const list of [view.resident, view.waiting]) {
    for (const request of list) {
      const ask = promised.has(request) ? askOf(request, view) : undefined;
      if (ask !== undefined) asks.push(ask);
    }
  }
  const periodMs = asks.reduce((least, { paceMs }) => Math.min(least, paceMs), Infinity);
  const decoding = asks
    .filter(({ request }) => request.resident && request.decoding)
    .map(({ request, paceMs }) => ({ request, paceMs, dueMs: nextDueMs(request, paceMs, view) }))
    .sort((a, b) => a.dueMs - b.dueMs || a.request.order - b.request.order);
  const prompts = asks
    .filter(({ tokens }) => tokens > 0)
    .sort((a, b) => a.dueMs - b.dueMs || a.request.order - b.request.order);
  const kept = new Set(asks.map(({ request }) => request));
  const declined = view.resident.filter((request) => !kept.has(request));

  const decodeDue = () => {
    // They fit into a step as long as the tightest pace: that was asked.
    step.budgetMs = Number.POSITIVE_INFINITY;
    for (const { request, dueMs, paceMs } of decoding) {
      if (dueMs - paceMs < view.now + periodMs) step.decode(request);
    }
  };
  const prefill = () => {
    step.budgetMs = periodMs;
    for (const { request } of prompts) {
      giveWay(request, declined, builder);
      if (!step.prefill(request) && request.decision.reason === 'tbt-guard') break;
    }
  };
  // Where prompts and decodes cannot share a step, prompts go first.
  for (const take of view.capabilities.mixedSteps ? [decodeDue, prefill] : [prefill, decodeDue]) {
    take();
  }
  step.budgetMs = periodMs;
  for (const { request } of decoding) if (!builder.has(request)) step.decode(request);
  for (const request of declined) if (request.decoding) step.decode(request);
  for (const request of declined) if (!request.decoding) step.prefill(request);
  for (const request of view.waiting) {
    if (promised.has(request)) continue;
    if (!fits(request, view, builder) || !step.prefill(request)) break;
  }
}

/** When the next token of who decodes is due, ms. */
function nextDueMs(request: Request, paceMs: number, view: SchedulerView): number {
  if (request.class === 'latency') return request.tokenDueMs(request.generated);
  return (request.lastTokenMs ?? view.now) + paceMs;
}

/** The declined give up places and pages that a promised prompt needs to begin, the latest first. */
function giveWay(request: Request, declined: readonly Request[], builder: PlanBuilder): void {
  if (request.resident) return;
  const pages = builder.pagesFor(request, request.knownTokens);
  for (let i = declined.length - 1; i >= 0; i--) {
    if (builder.freeSequences > 0 && builder.freePages >= pages) return;
    builder.preempt(declined[i]);
  }
}

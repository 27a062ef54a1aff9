import { pagesFor } from '../executor';
import type { PlanBuilder } from '../plan';
import type { Request } from '../request';
import type { SchedulerView } from '../view';

/** Tokens a step may hold, decodes included, where prompts are chunked: Sarathi-Serve's token budget. */
export const TOKEN_BUDGET = 512;

/** Pages kept free when a request is admitted, as a share of all: vLLM's watermark. */
const WATERMARK = 0.01;

/**
 * Whether a waiting request's prompt fits beside what is resident, as vLLM asks before it admits one:
 * at most a batch runs, and after the whole prompt some pages are still free.
 */
export function fits(request: Request, view: SchedulerView, builder: PlanBuilder): boolean {
  const { totalPages, pageSize, maxSequences } = view.capacity;
  if (maxSequences - builder.freeSequences >= builder.maxBatch) return false;
  const pages = pagesFor(request.knownTokens - request.cachedTokens, pageSize);
  // An empty engine takes what it can, watermark or not.
  return builder.freePages - pages >= WATERMARK * totalPages || view.resident.length === 0;
}

/**
 * Serves without preemption, as vLLM and Sarathi-Serve do: what runs goes on, every decode in each
 * step; what is left of the token budget takes chunks of prompts, begun ones first, then `waiting`
 * in the order given, until one does not fit. An engine that cannot mix prompts with decodes takes
 * prompts first.
 */
export function serveToCompletion(
  waiting: Iterable<Request>,
  view: SchedulerView,
  builder: PlanBuilder,
  tokenBudget = TOKEN_BUDGET,
): void {
  const decode = () => {
    for (const request of view.resident) if (request.decoding) builder.add(request, 'in-order');
  };
  if (view.capabilities.mixedSteps) decode();
  prefill(waiting, view, builder, tokenBudget - builder.batch);
  if (!view.capabilities.mixedSteps) decode();
}

function prefill(
  waiting: Iterable<Request>,
  view: SchedulerView,
  builder: PlanBuilder,
  tokens: number,
): void {
  let left = tokens;
  for (const request of view.resident) {
    if (!request.decoding && left > 0) left -= chunk(request, left, view, builder);
  }
  for (const request of waiting) {
    // Nobody overtakes one that does not fit.
    if (left < 1 || !fits(request, view, builder)) return;
    const taken = chunk(request, left, view, builder);
    if (taken === 0) return;
    left -= taken;
  }
}

/** A request's place in a policy's order: lower goes first, ties in order of arrival. */
export type Rank = (request: Request) => number;

/**
 * Serves the batch of lowest rank and pauses the rest, step by step: preemptive policies. A paused
 * request keeps its pages until a newcomer of lower rank needs them, and loses them to one only once:
 * a policy whose order changes with every token would do nothing but recompute. When the residents
 * themselves run out of pages, the highest ranks lose theirs. Decodes come first in the token budget,
 * then prompts by rank.
 */
export function serveLowest(
  rank: Rank,
  view: SchedulerView,
  builder: PlanBuilder,
  tokenBudget = TOKEN_BUDGET,
): void {
  const batch = chooseBatch(rank, view, builder);
  makeRoom(batch, pagesForStep(batch, view), 0, () => true, rank, view, builder);
  // Where prompts and decodes cannot share a step, the lowest rank says which it is.
  const { mixedSteps } = view.capabilities;
  const [first, second] = mixedSteps || batch[0]?.decoding ? [true, false] : [false, true];
  let left = tokenBudget;
  for (const decoding of [first, second]) {
    for (const request of batch) {
      if (request.decoding !== decoding || left < 1) continue;
      left -= decoding ? builder.add(request, 'in-order') : chunk(request, left, view, builder);
    }
  }
}

/** The lowest ranks of all; where newcomers among them do not fit, residents take their places. */
function chooseBatch(rank: Rank, view: SchedulerView, builder: PlanBuilder): Request[] {
  const { totalPages, pageSize } = view.capacity;
  const batch = lowest([view.resident, view.waiting], builder.maxBatch, rank);
  const newcomers = batch.filter((request) => !request.resident);
  if (newcomers.length === 0) return batch;
  const pagesOf = (request: Request) =>
    pagesFor(request.knownTokens - request.cachedTokens, pageSize);
  const wanted = newcomers.reduce((sum, request) => sum + pagesOf(request), 0);
  const once = (request: Request) => request.preemptions === 0;
  makeRoom(batch, wanted + WATERMARK * totalPages, newcomers.length, once, rank, view, builder);

  let pages = builder.freePages - WATERMARK * totalPages;
  let sequences = builder.freeSequences;
  const admitted = newcomers.filter((request) => {
    pages -= pagesOf(request);
    return sequences-- > 0 && (pages >= 0 || view.resident.length === 0);
  });
  if (admitted.length === newcomers.length) return batch;
  const places = builder.maxBatch - admitted.length;
  const kept = view.resident.filter((request) => !builder.has(request));
  return lowest([lowest([kept], places, rank), admitted], builder.maxBatch, rank);
}

/** The `count` requests of lowest rank, in order. */
export function lowest(
  lists: readonly (readonly Request[])[],
  count: number,
  rank: Rank,
): Request[] {
  const chosen: Request[] = [];
  const ranks: number[] = [];
  for (const list of lists) {
    for (const request of list) {
      const own = rank(request);
      let at = chosen.length;
      if (at === count && !before(own, request, ranks[at - 1], chosen[at - 1])) continue;
      while (at > 0 && before(own, request, ranks[at - 1], chosen[at - 1])) at--;
      chosen.splice(at, 0, request);
      ranks.splice(at, 0, own);
      if (chosen.length > count) {
        chosen.pop();
        ranks.pop();
      }
    }
  }
  return chosen;
}

function before(rank: number, request: Request, otherRank: number, other: Request): boolean {
  return rank < otherRank || (rank === otherRank && request.order < other.order);
}

/** A chunk of a prompt within the token budget; a whole prompt where prompts cannot be chunked. */
function chunk(
  request: Request,
  maxTokens: number,
  view: SchedulerView,
  builder: PlanBuilder,
): number {
  const options = view.capabilities.continuedPrefill ? { maxTokens } : {};
  return builder.add(request, 'in-order', {}, options);
}

/** Drops paused requests that may be dropped, the highest ranks first, until so much is free. */
function makeRoom(
  batch: readonly Request[],
  pages: number,
  sequences: number,
  may: (request: Request) => boolean,
  rank: Rank,
  view: SchedulerView,
  builder: PlanBuilder,
): void {
  const enough = () => builder.freePages >= pages && builder.freeSequences >= sequences;
  if (enough()) return;
  const paused = view.resident.filter((request) => !batch.includes(request) && may(request));
  paused.sort((a, b) => (before(rank(a), a, rank(b), b) ? 1 : -1));
  for (const request of paused) {
    if (enough()) return;
    builder.preempt(request);
  }
}

/** Pages that the batch may take in this step. */
function pagesForStep(batch: readonly Request[], { capacity }: SchedulerView): number {
  let pages = 0;
  for (const request of batch) {
    const tokens = request.decoding
      ? 1
      : Math.min(request.pendingTokens, capacity.maxPrefillTokens);
    pages += pagesFor(tokens, capacity.pageSize);
  }
  return pages;
}

import type { DeviceProfile } from '../engine/simulated';
import type { Passage } from './passage';
import type { Arrival, Call } from './workload';
import { callsOf } from './workload';

/** What calls ask of a device, in the terms of its cost model. */
export interface Demand {
  /** Steps' members: decodes, and at least one chunk for each prompt. */
  memberships: number;
  /** Tokens computed. */
  tokens: number;
  /** Cached tokens attended to, summed over all memberships. */
  contextTokens: number;
}

/**
 * The least that a call can ask of `profile`: its prompt in as few chunks as are allowed (less
 * `cachedTokens` that a shared prefix saves), then one decode for each output token but the first.
 */
export function demandOf(call: Call, profile: DeviceProfile, cachedTokens = 0): Demand {
  const decodes = call.outputTokens - 1;
  const prefill = Math.max(1, call.promptTokens - cachedTokens);
  return {
    memberships: Math.ceil(prefill / profile.maxPrefillTokens) + decodes,
    tokens: prefill + decodes,
    contextTokens: call.promptTokens * (decodes + 1) + (decodes * (decodes + 1)) / 2,
  };
}

/**
 * Prompt tokens of each call that some other call of the workload has at its beginning or says, too: at
 * best they need not be computed. At least one token of a prompt always does.
 */
export function sharedTokens(arrivals: readonly Arrival[]): Map<Call, number> {
  const calls = arrivals.flatMap(callsOf);
  const longest = new Map<number, { call: Call; tokens: number; others: number }>();
  for (const call of calls) {
    for (const { from, tokens } of textOf(call)) {
      const known = longest.get(from);
      if (known === undefined) longest.set(from, { call, tokens, others: 0 });
      else if (tokens > known.tokens) longest.set(from, { call, tokens, others: known.tokens });
      else known.others = Math.max(known.others, tokens);
    }
  }
  const shared = new Map<Call, number>();
  for (const call of calls) {
    if (call.prefix === undefined) continue;
    const tokens = leadingTokens(call.prefix, (from) => {
      const known = longest.get(from);
      return known?.call === call ? known.others : known?.tokens;
    });
    shared.set(call, Math.min(call.promptTokens - 1, tokens));
  }
  return shared;
}

/** What a call leaves to be shared: the passages of its prompt, and its answer. */
function textOf({ prefix = [], answerFrom, outputTokens }: Call): readonly Passage[] {
  return answerFrom === undefined
    ? prefix
    : [...prefix, { from: answerFrom, tokens: outputTokens }];
}

/** Tokens at the beginning of `passages` that are known. `known`: how many of the passage that begins there. */
function leadingTokens(
  passages: readonly Passage[],
  known: (from: number) => number | undefined,
): number {
  let sum = 0;
  for (const { from, tokens } of passages) {
    const of = Math.min(tokens, known(from) ?? 0);
    sum += of;
    if (of < tokens) break;
  }
  return sum;
}

/**
 * GPU time of `demand`, ms, when every step is full and its arithmetic hides behind reading the
 * weights as well as the totals allow: no schedule does the work in less.
 */
export function leastMs({ memberships, tokens, contextTokens }: Demand, p: DeviceProfile): number {
  const steps = memberships / p.maxBatch;
  return (
    steps * p.overheadMs +
    Math.max(steps * p.weightsMs, tokens * p.computeMsPerToken) +
    contextTokens * p.kvMsPerToken
  );
}

/**
 * Scales the times of `arrivals` to `load`: at load 1 they span just the time that the engine needs
 * for their work at its best throughput (prefixes that came before count as computed); at load 2,
 * half of it.
 */
export function atLoad<A extends Arrival>(
  arrivals: readonly A[],
  profile: DeviceProfile,
  load: number,
): A[] {
  const first = arrivals[0]?.atMs ?? 0;
  const span = (arrivals.at(-1)?.atMs ?? 0) - first;
  // n arrivals have n - 1 gaps between them; the last one's work takes a gap's time, too.
  const gaps = Math.max(1, arrivals.length - 1) / Math.max(1, arrivals.length);
  const scale =
    span > 0 ? (leastMs(demandOfAll(arrivals, profile), profile) * gaps) / load / span : 0;
  return arrivals.map((arrival) => ({ ...arrival, atMs: (arrival.atMs - first) * scale }));
}

/** What all calls ask together, each shared passage computed once. */
function demandOfAll(arrivals: readonly Arrival[], profile: DeviceProfile): Demand {
  const total: Demand = { memberships: 0, tokens: 0, contextTokens: 0 };
  const seen = new Map<number, number>();
  for (const call of arrivals.flatMap(callsOf)) {
    const cached = leadingTokens(call.prefix ?? [], (from) => seen.get(from));
    for (const { from, tokens } of textOf(call)) {
      seen.set(from, Math.max(tokens, seen.get(from) ?? 0));
    }
    const demand = demandOf(call, profile, cached);
    total.memberships += demand.memberships;
    total.tokens += demand.tokens;
    total.contextTokens += demand.contextTokens;
  }
  return total;
}

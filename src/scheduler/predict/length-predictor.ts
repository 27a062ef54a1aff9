import type { LengthEstimate, Request } from '../request';
import { AdaptiveLevel } from './adaptive-level';
import { Calibration, type CalibrationSnapshot } from './calibration';
import { type Centroids, Digest } from './digest';
import { LengthTable } from './length-table';

/** Lengths learnt, to keep or to share: numbers under the developer's own labels, no text. */
export interface LengthProfile {
  version: 1;
  /** By key: app, app/stage, app/stage/prompt-size bucket; '' for all together. */
  lengths: Readonly<Record<string, Centroids>>;
}

/** The quantile that counts as the upper bound (arXiv 2504.20068, section 4.1). */
export const BOUND = 0.95;

/** A key's memory: when it holds this many observations the older ones are made to count half. */
const MEMORY = 512;
/**
 * A coarser key counts as so many observations beside a key without any, by the key's depth: all apps
 * tell little of one, and its other stages little of this one, but other prompt sizes tell much. It
 * fades out.
 */
const PARENT_WEIGHTS = [0, 1, 1, 32];
/** A coarser key fades out until the finer one has this many of its own. */
const ENOUGH = 64;
/** What the cold-start prior always counts: it is the only one to know of lengths never yet seen. */
const PRIOR_WEIGHT = 0.25;

/** Keys remembered. Beyond, those that least is known of go. */
const MAX_KEYS = 1024;

/** Running requests looked at for one table. */
const MAX_UNFINISHED = 48;
/** Lengths that each of those may still come to: at one alone there would be no tail. */
const SPREAD = 10;

/** Before anything is known: log-normal around 128 tokens, with a long tail. */
const PRIOR: Centroids = priorCentroids();

/**
 * Predicts how many output tokens a request still has to come, from what finished before it: the
 * paper's quantile upper bounds (arXiv 2504.20068, section 4.1), here of t-digests per app, stage
 * and prompt size. A key with little data leans on the next coarser one; old data fade; and every
 * prediction is conditional on what was generated already, so it tightens as generation goes on.
 * All predictions are capped by max_tokens.
 */
export class LengthPredictor {
  readonly #nodes = new Map<string, Node>();
  readonly #root = new Node(undefined);
  readonly #leaves = new WeakMap<Request, Node>();
  readonly #calibration = new Calibration();

  /** Quantile `q` of the remaining output length, given what was generated: Q(q | L > g) - g, at least 1. */
  remaining(request: Request, q: number): number {
    const total = this.#table(request).quantile(q, request.generated);
    return Math.max(1, Math.min(request.remainingMax, Math.ceil(total - request.generated)));
  }

  /** Mean of the remaining output length, given what was generated; at least 1. Right for sums. */
  expected(request: Request): number {
    return this.expectedWithin(request, Number.POSITIVE_INFINITY);
  }

  /** Mean of min(remaining length, `tokens`), given what was generated. */
  expectedWithin(request: Request, tokens: number): number {
    const { generated } = request;
    const cap = generated + Math.min(tokens, request.remainingMax);
    return Math.max(Math.min(1, tokens), this.#table(request).mean(generated, cap) - generated);
  }

  /** Probability that at most `tokens` more are still to come. */
  chance(request: Request, tokens: number): number {
    if (tokens >= request.remainingMax) return 1;
    return this.#table(request).chance(request.generated + tokens, request.generated);
  }

  /**
   * A request is queued: what is expected of it in all. From now on it counts as one that is at
   * least as long as what it has generated, until `observe` or `forget`.
   */
  expect(request: Request): LengthEstimate {
    const leaf = this.#leaf(request);
    leaf.live.add(request);
    leaf.parent?.live.add(request);
    leaf.joined();
    return this.estimate(request);
  }

  /** A request ended otherwise than by finishing: its length will never be known. */
  forget(request: Request): void {
    const leaf = this.#leaf(request);
    leaf.live.delete(request);
    leaf.parent?.live.delete(request);
  }

  /** What is expected of a request in all. */
  estimate(request: Request): LengthEstimate {
    return {
      median: request.generated + this.remaining(request, 0.5),
      bound: request.generated + this.remaining(request, this.#leaf(request).boundLevel),
    };
  }

  /** Learns from a finished request. */
  observe(request: Request): void {
    this.forget(request);
    const leaf = this.#leaf(request);
    for (let node: Node | undefined = leaf; node !== undefined; node = node.parent) {
      node.digest.push(request.generated);
      node.seen++;
      if (node.digest.count >= MEMORY) node.digest.forget(0.5);
    }
    // Here and not in a prediction: those are asked for by the hundred within a plan.
    leaf.refresh();
    if (request.estimate === undefined) return;
    const { bound } = request.estimate;
    this.#calibration.observe(request, bound);
    // A bound at max_tokens always covers, and tells nothing.
    if (bound < request.maxTokens) leaf.level.observe(request.generated <= bound);
  }

  /** How good the bounds told at submission turned out to be. */
  get calibration(): CalibrationSnapshot {
    return this.#calibration.snapshot();
  }

  export(): LengthProfile {
    const nodes: [string, Node][] = [['', this.#root], ...this.#nodes];
    const entries = Math.min(MAX_ENTRIES, MAX_EXPORT_ENTRIES / nodes.length);
    const lengths = Object.fromEntries(
      nodes.map(([key, { digest }]) => [key, coarse(digest.centroids(), entries)]),
    );
    return { version: 1, lengths };
  }

  /** Adds what another page or user has learnt to what is known here. */
  merge(profile: LengthProfile): void {
    for (const [key, centroids] of Object.entries(profile.lengths)) {
      const node = key === '' ? this.#root : this.#node(key);
      node.digest.absorb(centroids);
      if (node.digest.count >= MEMORY) node.digest.forget(MEMORY / 2 / node.digest.count);
      this.#makeRoom(node);
    }
    // Of all that there are few are asked next.
    for (const node of this.#nodes.values()) node.stale();
  }

  #table(request: Request): LengthTable {
    return this.#leaf(request).table;
  }

  #leaf(request: Request): Node {
    let leaf = this.#leaves.get(request);
    if (leaf === undefined) {
      const bucket = Math.floor(Math.log2(request.promptTokens));
      leaf = this.#node(`${escaped(request.app)}/${escaped(request.stage)}/${bucket}`);
      this.#leaves.set(request, leaf);
      this.#makeRoom(leaf);
    }
    return leaf;
  }

  /** Of those that nothing rests on, what was learnt least of goes; `kept` stays. */
  #makeRoom(kept: Node): void {
    while (this.#nodes.size > MAX_KEYS) {
      let least: [string, Node] | undefined;
      for (const entry of this.#nodes) {
        const [, node] = entry;
        if (node === kept || node.children > 0 || node.live.size > 0) continue;
        if (least === undefined || node.digest.count < least[1].digest.count) least = entry;
      }
      if (least === undefined) return;
      const [key, { parent }] = least;
      this.#nodes.delete(key);
      if (parent !== undefined) parent.children--;
    }
  }

  #node(key: string): Node {
    let node = this.#nodes.get(key);
    if (node === undefined) {
      const cut = key.lastIndexOf('/');
      node = new Node(cut < 0 ? this.#root : this.#node(key.slice(0, cut)));
      this.#nodes.set(key, node);
    }
    return node;
  }
}

/** Entries of a key that are passed on, and of all keys; neighbours become one. */
const MAX_ENTRIES = 64;
const MAX_EXPORT_ENTRIES = 12_288;

function coarse(centroids: Centroids, entries: number): Centroids {
  const size = Math.ceil(centroids.length / entries);
  if (size <= 1) return centroids;
  const groups: { mean: number; n: number }[] = [];
  for (let from = 0; from < centroids.length; from += size) {
    const group = centroids.slice(from, from + size);
    const n = group.reduce((sum, one) => sum + one.n, 0);
    groups.push({ mean: group.reduce((sum, one) => sum + one.mean * one.n, 0) / n, n });
  }
  return groups;
}

/** A label as part of a key. Half a character has no escape, and is taken for any other half. */
function escaped(label: string): string {
  return encodeURIComponent(label.replace(/\p{Surrogate}/gu, '\uFFFD'));
}

/** One key's lengths, and the next coarser key's to lean on. */
class Node {
  readonly parent: Node | undefined;
  readonly digest = new Digest();
  /** Requests that have not ended, oldest first; kept for an app's stage and its prompt sizes only. */
  readonly live = new Set<Request>();
  /** Finer keys. */
  children = 0;
  seen = 0;
  /** 0: all together; 1: an app; 2: its stage; 3: a size of its prompts. */
  readonly depth: number;
  /** At which level upper bounds are told; one for an app's stage, whatever the prompt's size. */
  readonly level: AdaptiveLevel;
  #table: LengthTable | undefined;
  #seenByTable = 0;
  /** Requests that have come since the table was made. */
  #joinedSince = 0;

  constructor(parent: Node | undefined) {
    this.parent = parent;
    if (parent !== undefined) parent.children++;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.level = parent === undefined || this.depth < 3 ? new AdaptiveLevel(BOUND) : parent.level;
  }

  /** The level to ask its table for, so that `BOUND` of the lengths stay below. */
  get boundLevel(): number {
    const { count } = this.digest;
    return this.level.at(Math.max(count, count < ENOUGH ? (this.parent?.digest.count ?? 0) : 0));
  }

  get table(): LengthTable {
    if (this.#table === undefined) this.refresh(true);
    return this.#table ?? this.#mix();
  }

  /** The table is made anew when it is asked next. */
  stale(): void {
    this.#table = undefined;
  }

  /** A request has come: while few have finished, those that run tell how long it may be. */
  joined(): void {
    if (this.digest.count >= ENOUGH) return;
    this.#joinedSince++;
    // The more there are already, the less one more tells.
    if (this.#joinedSince > this.live.size / 16) this.refresh(true);
  }

  /** Brings the table up to date once a sixteenth of what it holds is new. */
  refresh(force = false): void {
    if (!force && this.seen - this.#seenByTable < Math.max(1, this.digest.count / 16)) return;
    this.#table = this.#mix();
    this.#seenByTable = this.seen;
    this.#joinedSince = 0;
  }

  #mix(): LengthTable {
    const parts: { centroids: Centroids; factor: number }[] = [];
    let share = 0;
    let weight = 1;
    for (let node: Node | undefined = this; node !== undefined && weight > 0; node = node.parent) {
      const { count } = node.digest;
      // The key itself counts in full; each coarser one as a few observations.
      if (count > 0) {
        const factor = node === this ? 1 : (share * weight) / count;
        parts.push({ centroids: node.digest.centroids(), factor });
      }
      weight *= Math.max(0, 1 - count / ENOUGH);
      share = PARENT_WEIGHTS[node.depth];
    }
    parts.push({ centroids: PRIOR, factor: PRIOR_WEIGHT + 2 * weight });
    const table = new LengthTable(parts);
    if (this.digest.count >= ENOUGH) return table;
    const unfinished = this.#unfinished(table);
    if (unfinished.length === 0) return table;
    return new LengthTable([...parts, { centroids: unfinished, factor: 1 }]);
  }

  /**
   * While few have finished, those that run tell something, too: they are longer than what they have
   * generated. Each is spread over where its like would end, by as much as it rules out (Efron's
   * redistribution to the right). Without them the short would be learnt first, and only the short.
   */
  #unfinished(table: LengthTable): Centroids {
    const source = this.live.size > 0 ? this.live : (this.parent?.live ?? this.live);
    const centroids: { mean: number; n: number }[] = [];
    let looked = 0;
    for (const { generated, maxTokens } of source) {
      if (looked++ >= MAX_UNFINISHED) break;
      if (generated < 2) continue;
      const n = table.chance(generated, 0);
      if (n <= 0.05) continue;
      for (let i = 0; i < SPREAD; i++) {
        const mean = Math.min(maxTokens, table.quantile((i + 0.5) / SPREAD, generated));
        centroids.push({ mean, n: n / SPREAD });
      }
    }
    return centroids;
  }
}

function priorCentroids(): Centroids {
  const points = 48;
  const centroids: { mean: number; n: number }[] = [];
  for (let i = 0; i < points; i++) {
    const p = (i + 0.5) / points;
    // A logistic curve stands in for the normal one: same shape, and its inverse has a formula.
    const deviations = Math.log(p / (1 - p)) * 0.5513;
    centroids.push({ mean: Math.round(128 * Math.exp(1.2 * deviations)), n: 1 / points });
  }
  for (const mean of [8192, 32_768]) centroids.push({ mean, n: 0.001 });
  return centroids;
}

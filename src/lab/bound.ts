import { type DeviceProfile, stepMs } from '../engine/simulated';
import { DEFAULT_GAIN, decay, type GainConfig } from '../scheduler';
import { type Demand, demandOf, sharedTokens } from './work';
import { type Arrival, type Call, callsOf, type SingleArrival, type Workload } from './workload';

/**
 * The gain that no schedule of a workload can exceed: a fluid relaxation, bounded by its dual.
 *
 * 1. Engine time is the one resource. A step lasts overhead + max(weights, tokens · compute) +
 *    context · kv, which is at least overhead + s·weights + (1 − s)·tokens·compute + context·kv for
 *    any share s in [0, 1]. Split that among the step's members, of whom there are at most a batch:
 *    each takes (overhead + s·weights)/batch, and the cost of its own tokens and context. So every
 *    call has a least work, whatever it is batched with; and the work done in any stretch of time is
 *    no more than its length.
 * 2. Gain comes in pieces: a deadline request's or a program's is one; a stream's is its first token
 *    (with the prompt), and groups of later tokens. A piece whose work ends at time t earns
 *    value · decay(t). Relaxed: its work may be spread at will over the time after its arrival, and
 *    each bit of it earns in proportion, by the decay at its own time, which is no smaller. Bits of
 *    pieces that are never finished may earn, too; a group decays as its last token does; tokens need
 *    no order among groups.
 * 3. That is a linear program, and any price v(t) ≥ 0 for engine time bounds it from above:
 *    bound = ∫ v dt + Σ max(0, best over t of value · decay(t) − least cost of its work until t).
 *    (Each piece buys its work at the cheapest times before its end t, no faster than the engine can
 *    do it; t is at the earliest when a call run alone would end.) Prices come from the greedy solution of the program with hard
 *    deadlines, where they are optimal: by density, each piece takes what the intervals around its
 *    window have left; an interval that is full costs the density of who was turned away.
 *
 * Time is cut into buckets; windows are rounded outwards. The least over several shares s counts.
 * Best-effort work has no deadline and counts in full.
 */
export function fluidBound(workload: Workload, gain: Partial<GainConfig> = {}): number {
  const config = { ...DEFAULT_GAIN, ...gain };
  const shared = sharedTokens(workload.arrivals);
  return Math.min(
    ...SHARES.map((share) => {
      const bounder = new Bounder(workload.profile, config, share, shared);
      return bounder.bound(workload.arrivals);
    }),
  );
}

/** How much of the weights' reading a step's members are charged for, rather than for arithmetic. */
const SHARES = [0, 0.25, 0.5, 0.75, 1];
const BUCKETS = 256;
/** Parts of a bucket in which pieces may end. */
const SLICES = 8;
/** Groups that a stream's later tokens are put in. */
const TOKEN_GROUPS = 8;

/** Something that is earned as a whole. */
interface Piece {
  value: number;
  /** Least engine time, ms. */
  workMs: number;
  /** The most of the engine's time that its work can take up while it goes on, above 0, up to 1. */
  rate: number;
  /** When its work may begin, ms. */
  fromMs: number;
  /** When it can have ended at the earliest, ms. */
  soonestMs: number;
  /** What its objective is reckoned from, ms. */
  sinceMs: number;
  /** The objective, ms after `sinceMs`. */
  sloMs: number;
}

class Bounder {
  readonly #profile: DeviceProfile;
  readonly #gain: GainConfig;
  readonly #share: number;
  readonly #shared: ReadonlyMap<Call, number>;

  constructor(
    profile: DeviceProfile,
    gain: GainConfig,
    share: number,
    shared: ReadonlyMap<Call, number>,
  ) {
    this.#profile = profile;
    this.#gain = gain;
    this.#share = share;
    this.#shared = shared;
  }

  bound(arrivals: readonly Arrival[]): number {
    const pieces: Piece[] = [];
    let free = 0;
    for (const arrival of arrivals) {
      if (arrival.kind === 'program') pieces.push(this.#programPiece(arrival));
      else if (arrival.slo.class === 'best-effort') {
        free += this.#gain.bestEffortWeight * this.#value(arrival.call);
      } else pieces.push(...this.#requestPieces(arrival));
    }
    if (pieces.length === 0) return free;
    const endMs = Math.max(...pieces.map((piece) => piece.sinceMs + piece.sloMs));
    const startMs = Math.min(...pieces.map((piece) => piece.fromMs));
    const prices = new Prices(startMs, endMs);
    prices.settle(pieces);
    return free + prices.bound(pieces, this.#gain.alpha);
  }

  #requestPieces({ slo, call, atMs }: SingleArrival): Piece[] {
    if (slo.class === 'deadline') {
      const piece = {
        value: this.#value(call),
        workMs: this.#workMs(this.#demand(call)),
        rate: 1,
        fromMs: atMs,
        soonestMs: atMs + this.#aloneMs(call),
        sinceMs: atMs,
        sloMs: slo.ttlt,
      };
      return [piece];
    }
    if (slo.class !== 'latency') return [];
    const { inputWeight, outputWeight } = this.#gain;
    const firstMs = this.#prefillMs(call);
    const first: Piece = {
      value: inputWeight * call.promptTokens + outputWeight,
      workMs: this.#workMs(this.#demand({ ...call, outputTokens: 1 }, call)),
      rate: 1,
      fromMs: atMs,
      soonestMs: atMs + firstMs,
      sinceMs: atMs,
      sloMs: slo.ttft,
    };
    const pieces = [first];
    const later = call.outputTokens - 1;
    const size = Math.ceil(later / TOKEN_GROUPS);
    for (let from = 1; from <= later; from += size) {
      const to = Math.min(later, from + size - 1);
      const fromMs = atMs + firstMs + (from - 1) * this.#decodeMs;
      const last = { memberships: 1, tokens: 1, contextTokens: call.promptTokens + to };
      pieces.push({
        value: outputWeight * (to - from + 1),
        workMs: this.#workMs({
          memberships: to - from + 1,
          tokens: to - from + 1,
          contextTokens: sumFromTo(call.promptTokens + from, call.promptTokens + to),
        }),
        // One token a step: of the group's steps, the last has the most context, and the longest share.
        rate: Math.min(1, this.#workMs(last) / stepMs(this.#profile, 1, last.contextTokens)),
        fromMs,
        soonestMs: fromMs + this.#decodeMs,
        sinceMs: atMs,
        sloMs: slo.ttft + to * slo.tbt,
      });
    }
    return pieces;
  }

  #programPiece(program: Extract<Arrival, { kind: 'program' }>): Piece {
    let value = 0;
    let workMs = 0;
    for (const call of callsOf(program)) {
      value += this.#value(call);
      workMs += this.#workMs(this.#demand(call));
    }
    let soonestMs = program.atMs;
    for (const { calls, thinkMs } of program.stages) {
      soonestMs += thinkMs + Math.max(...calls.map((call) => this.#aloneMs(call)));
    }
    const { atMs, deadlineMs } = program;
    return { value, workMs, rate: 1, fromMs: atMs, soonestMs, sinceMs: atMs, sloMs: deadlineMs };
  }

  #value({ promptTokens, outputTokens }: Call): number {
    return this.#gain.inputWeight * promptTokens + this.#gain.outputWeight * outputTokens;
  }

  #demand(call: Call, original = call): Demand {
    return demandOf(call, this.#profile, this.#shared.get(original));
  }

  #workMs({ memberships, tokens, contextTokens }: Demand): number {
    const { overheadMs, weightsMs, computeMsPerToken, kvMsPerToken, maxBatch } = this.#profile;
    return (
      (memberships * (overheadMs + this.#share * weightsMs)) / maxBatch +
      (1 - this.#share) * tokens * computeMsPerToken +
      contextTokens * kvMsPerToken
    );
  }

  /** A step that does nothing but decode one sequence. */
  get #decodeMs(): number {
    return stepMs(this.#profile, 1, 0);
  }

  /** Computing the prompt with the engine to itself. */
  #prefillMs(call: Call): number {
    const { memberships, tokens } = this.#demand({ ...call, outputTokens: 1 }, call);
    return Math.max(memberships * this.#decodeMs, stepMs(this.#profile, tokens, 0));
  }

  #aloneMs(call: Call): number {
    return this.#prefillMs(call) + (call.outputTokens - 1) * this.#decodeMs;
  }
}

/** The price of engine time, bucket by bucket. */
class Prices {
  readonly #startMs: number;
  readonly #bucketMs: number;
  readonly #prices = new Float64Array(BUCKETS);
  /** Engine time that pieces with windows within buckets `from` to `to` have left, at from · BUCKETS + to. */
  readonly #left = new Float64Array(BUCKETS * BUCKETS);

  constructor(startMs: number, endMs: number) {
    this.#startMs = startMs;
    this.#bucketMs = Math.max(1e-3, (endMs - startMs) / BUCKETS);
    for (let from = 0; from < BUCKETS; from++) {
      for (let to = from; to < BUCKETS; to++) {
        this.#left[from * BUCKETS + to] = (to - from + 1) * this.#bucketMs;
      }
    }
  }

  /** Solves the program with hard deadlines, densest first. */
  settle(pieces: readonly Piece[]): void {
    const byDensity = [...pieces].sort((a, b) => b.value / b.workMs - a.value / a.workMs);
    for (const piece of byDensity) {
      const dueMs = piece.sinceMs + piece.sloMs;
      if (piece.soonestMs > dueMs) continue;
      this.#take(this.#bucket(piece.fromMs), this.#bucket(dueMs), piece);
    }
  }

  /** Any prices give a bound; see `fluidBound`. */
  bound(pieces: readonly Piece[], alpha: number): number {
    let bound = 0;
    for (const price of this.#prices) bound += price * this.#bucketMs;
    for (const piece of pieces) bound += this.#surplus(piece, alpha);
    return bound;
  }

  /**
   * The most that a piece earns above what its work costs, over all times t at which it may end. Its
   * work is bought where it is cheapest until then, at no more than `rate`.
   */
  #surplus(
    { value, workMs, rate, fromMs, soonestMs, sinceMs, sloMs }: Piece,
    alpha: number,
  ): number {
    const sliceMs = this.#bucketMs / SLICES;
    const bought = new Purchase(workMs, sliceMs * rate);
    let best = 0;
    for (let i = Math.floor((fromMs - this.#startMs) / sliceMs); ; i++) {
      // After the last bucket engine time is free.
      const bucket = Math.floor(i / SLICES);
      bought.offer(bucket < BUCKETS ? this.#prices[bucket] : 0);
      const endMs = Math.max(soonestMs, this.#startMs + i * sliceMs);
      const earned = value * decay(sloMs, endMs - sinceMs, alpha);
      if (earned <= best) return best;
      if (bought.complete) best = Math.max(best, earned - bought.cost);
    }
  }

  #take(from: number, to: number, { value, workMs }: Piece): void {
    let least = workMs;
    for (let f = from; f >= 0; f--) {
      for (let at = f * BUCKETS + to; at < (f + 1) * BUCKETS; at++) {
        if (this.#left[at] < least) least = this.#left[at];
      }
    }
    const taken = Math.max(0, least);
    const full = 1e-9 * this.#bucketMs;
    let tightFrom = 0;
    let tightTo = BUCKETS - 1;
    for (let f = from; f >= 0; f--) {
      for (let t = to; t < BUCKETS; t++) {
        const at = f * BUCKETS + t;
        this.#left[at] -= taken;
        if (this.#left[at] > full) continue;
        // Full intervals around one window overlap; what they have in common is full as well.
        if (f > tightFrom) tightFrom = f;
        if (t < tightTo) tightTo = t;
      }
    }
    if (taken >= workMs) return;
    for (let b = tightFrom; b <= tightTo; b++) {
      this.#prices[b] = Math.max(this.#prices[b], value / workMs);
    }
  }

  #bucket(ms: number): number {
    const bucket = Math.floor((ms - this.#startMs) / this.#bucketMs);
    return Math.min(BUCKETS - 1, Math.max(0, bucket));
  }
}

/** A purchase of engine time, in equal portions, from the cheapest offers so far. */
class Purchase {
  readonly #portionMs: number;
  /** Portions wanted; the last may be a part of one. */
  readonly #wanted: number;
  /** Prices of the portions taken, dearest last. */
  readonly #prices: number[] = [];

  constructor(workMs: number, portionMs: number) {
    this.#portionMs = portionMs;
    this.#wanted = workMs / portionMs;
  }

  get complete(): boolean {
    return this.#prices.length >= this.#wanted;
  }

  /** The dearest portion is the one that is only needed in part. */
  get cost(): number {
    let left = this.#wanted;
    let cost = 0;
    for (const price of this.#prices) {
      cost += price * Math.min(1, left);
      left--;
    }
    return cost * this.#portionMs;
  }

  offer(price: number): void {
    if (this.complete && price >= this.#prices[this.#prices.length - 1]) return;
    let at = this.#prices.length;
    while (at > 0 && this.#prices[at - 1] > price) at--;
    this.#prices.splice(at, 0, price);
    if (this.#prices.length >= this.#wanted + 1) this.#prices.pop();
  }
}

/** from + (from + 1) + … + to */
function sumFromTo(from: number, to: number): number {
  return ((from + to) * (to - from + 1)) / 2;
}

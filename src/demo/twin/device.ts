import type { ServerState, Snapshot } from '../../client';
import { CostModel, DEVICE_PROFILES, type DeviceProfile, isDeviceProfileName } from '../../lab';

/** While there was work, what lay between two steps was the next plan, or a busy machine; unless it was more, ms. */
const NEXT_MS = 120;
/** How fast the past is forgotten, a step. */
const FORGETTING = 0.99;
/** No step counts for more than so many times what was expected: a hidden tab, a long pause. */
const MOST = 4;
/** Until a real device has been watched for so many steps, its speed is a guess. */
const LEARNT_STEPS = 40;
/** What a real device is taken for until it is known, ms. */
const GUESS = { baseMs: 40, perDecodeMs: 0, perContextTokenMs: 0.001, perPrefillTokenMs: 0.8 };
const PAGE_TOKENS = 16;

/**
 * The live engine's device as the simulated engine can be it: the capacity that it tells, and the times
 * that its steps take, measured from one step's start to the next's.
 */
export class Device {
  #model = '';
  #known: DeviceProfile | undefined;
  #cost = new CostModel(GUESS);
  #capacity = { maxBatch: 8, maxSequences: 16, contextWindow: 4096, totalPages: 4096 };
  /** Measured time over expected time, both forgotten as they grow old. */
  #measured = 0;
  #expected = 0;
  #last:
    | { startMs: number; endMs: number; tokens: number; contextTokens: number; idle: boolean }
    | undefined;

  /** Steps that were measured. */
  steps = 0;

  /** How much longer steps take than the cost model says. */
  get scale(): number {
    return this.#expected === 0 ? 1 : this.#measured / this.#expected;
  }

  /** What it is like now. */
  get profile(): DeviceProfile {
    const { scale } = this;
    const base = this.#known ?? this.#fitted;
    return {
      ...base,
      ...this.#capacity,
      overheadMs: base.overheadMs * scale,
      weightsMs: base.weightsMs * scale,
      computeMsPerToken: base.computeMsPerToken * scale,
      kvMsPerToken: base.kvMsPerToken * scale,
    };
  }

  /** Whether enough is known of it. */
  get isKnown(): boolean {
    return this.#known !== undefined || this.steps >= LEARNT_STEPS;
  }

  /** Another engine may run now. Returns whether one does. */
  follow(state: ServerState): boolean {
    if (state.phase !== 'ready') return false;
    const { model, kind } = state.engine;
    if (model === this.#model) return false;
    this.#model = model;
    this.#known =
      kind === 'simulated' && isDeviceProfileName(model) ? DEVICE_PROFILES[model] : undefined;
    this.#cost = new CostModel(GUESS);
    this.#measured = 0;
    this.#expected = 0;
    this.steps = 0;
    this.#last = undefined;
    return true;
  }

  add({ steps, requests, capacity, kv }: Snapshot): void {
    if (capacity.maxBatch > 0) this.#capacity = { ...capacity, totalPages: kv.totalPages };
    const context = new Map(requests.map(({ id, computedTokens }) => [id, computedTokens]));
    for (const { startMs, endMs, work } of steps) {
      const last = this.#last;
      if (last !== undefined && !last.idle && startMs - last.endMs < NEXT_MS) {
        const { tokens, contextTokens } = last;
        this.#measure(startMs - last.startMs, tokens, contextTokens);
      }
      let tokens = 0;
      let contextTokens = 0;
      for (const { requestId, tokens: own } of work) {
        tokens += own;
        contextTokens += context.get(requestId) ?? 0;
      }
      this.#last = { startMs, endMs, tokens, contextTokens, idle: false };
    }
    if (this.#last !== undefined) this.#last.idle = requests.length === 0;
  }

  #measure(tookMs: number, tokens: number, contextTokens: number): void {
    this.steps++;
    if (this.#known === undefined) {
      const decodes = Math.min(tokens, this.#capacity.maxBatch);
      this.#cost.observe({ decodes, contextTokens, prefillTokens: tokens - decodes }, tookMs);
    }
    const { overheadMs, weightsMs, computeMsPerToken, kvMsPerToken } = this.#known ?? this.#fitted;
    const expected =
      overheadMs + Math.max(weightsMs, tokens * computeMsPerToken) + contextTokens * kvMsPerToken;
    this.#measured = FORGETTING * this.#measured + Math.min(tookMs, MOST * expected);
    this.#expected = FORGETTING * this.#expected + expected;
  }

  /** The learnt cost model as a roofline: what hides behind the weights, and what does not. */
  get #fitted(): DeviceProfile {
    const { baseMs, perDecodeMs, perContextTokenMs, perPrefillTokenMs, freeTokens } =
      this.#cost.costs;
    const weightsMs = Math.min(baseMs, freeTokens * perPrefillTokenMs);
    return {
      name: this.#model,
      description: 'The device that runs above.',
      overheadMs: baseMs - weightsMs,
      weightsMs,
      computeMsPerToken: perPrefillTokenMs,
      kvMsPerToken: perContextTokenMs + perDecodeMs / 512,
      pageSize: PAGE_TOKENS,
      maxPrefillTokens: 512,
      ...this.#capacity,
    };
  }
}

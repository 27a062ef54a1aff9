import { type EngineCapabilities, type StepCosts, seededRandom } from '../../scheduler';
import { type BatchModel, type ForwardMember, PAGE_SIZE } from './batch-model';
import type { MlcPipeline } from './internals';
import type { SwapSpace } from './swap-space';

/** What a device does rightly with the prefixes that sequences share. */
export interface PrefixSharing {
  /** A sequence may start from another's pages. */
  sharing: boolean;
  /** It may start within one of its pages, which is copied. */
  withinPage: boolean;
  /** A kept sequence may lose its last pages and keep the rest. */
  trims: boolean;
}

/** What the device turned out to compute rightly. */
export interface SelfTestReport {
  capabilities: EngineCapabilities;
  /** How far prefixes may be shared. */
  prefixes: PrefixSharing;
  /** What was switched off, in plain sentences. */
  notes: string[];
  /** Per check, how far apart the two ways of computing the same logits were; see `distance`. */
  distances: Record<string, number>;
}

/**
 * Two ways to the same logits differ by rounding: about 0.00001 of their spread with 32-bit floats,
 * 0.005 with 16-bit ones. A wrong kernel gives about 1.
 */
const TOLERANCE = 0.05;

/** Prompt length: two pages and a part of the third. */
const LENGTH = 2 * PAGE_SIZE + 8;

/**
 * Computes the same logits in several ways on the user's own device: a prompt whole and in chunks,
 * a decode alone, in a batch and beside a prefill, a fork, a pop. What comes out different is
 * switched off. Fourteen forwards of a few tokens each.
 */
export async function selfTest(
  model: BatchModel,
  pipeline: MlcPipeline,
  swap?: SwapSpace,
): Promise<SelfTestReport> {
  const probe = new Probe(model, pipeline);
  const distances: Record<string, number> = {};
  const [prompt, other] = [probe.tokens(LENGTH, 1), probe.tokens(PAGE_SIZE - 3, 2)];
  const [next, otherNext] = [probe.tokens(1, 3), probe.tokens(1, 4)];
  let slots = 0;
  const open = () => {
    model.open(slots);
    return slots++;
  };
  const fork = (parent: number, tokens: number) => {
    model.fork(parent, slots, tokens);
    return slots++;
  };
  const start = async (tokens: Int32Array) => {
    const slot = open();
    const [logits] = await probe.logits([slot, tokens]);
    return { slot, logits };
  };
  try {
    const whole = await start(prompt);
    const chunked = await start(prompt.subarray(0, PAGE_SIZE + 5));
    const [joined] = await probe.logits([chunked.slot, prompt.subarray(PAGE_SIZE + 5)]);
    distances.chunks = distance(joined, whole.logits);

    for (const [check, at] of [
      ['fork within a page', PAGE_SIZE + 5],
      ['fork at a page', PAGE_SIZE],
    ] as const) {
      const slot = fork(whole.slot, at);
      const [forked] = await probe.logits([slot, prompt.subarray(at)]);
      distances[check] = distance(forked, whole.logits);
    }

    // No check leans on another's way of computing: each starts from prompts computed whole, alone.
    const [alone] = await probe.logits([whole.slot, next]);
    const otherWhole = await start(other);
    const [otherAlone] = await probe.logits([otherWhole.slot, otherNext]);

    const [a, b] = [await start(prompt), await start(other)];
    const [first, second] = await probe.logits([a.slot, next], [b.slot, otherNext]);
    distances['batched decode'] = worst(distance(first, alone), distance(second, otherAlone));

    const c = await start(prompt);
    const [decoded, prefilled] = await probe.logits([c.slot, next], [open(), other]);
    distances['mixed step'] = worst(
      distance(decoded, alone),
      distance(prefilled, otherWhole.logits),
    );

    model.pop(whole.slot, 1);
    const [again] = await probe.logits([whole.slot, next]);
    distances.pop = distance(again, alone);

    // Last, because the runtime may not survive a failure.
    if (swap !== undefined) {
      try {
        const [from, bystander] = [await start(prompt), await start(prompt)];
        const pages = await swap.copyOut(from.slot, 2 * PAGE_SIZE);
        const to = open();
        swap.copyIn(to, pages);
        const [swapped, untouched] = await probe.logits(
          [to, prompt.subarray(2 * PAGE_SIZE)],
          [bystander.slot, next],
        );
        distances.swap = worst(distance(swapped, whole.logits), distance(untouched, alone));
      } catch {
        // The runtime's functions are not as WebLLM 0.2.86 uses them.
        distances.swap = Number.NaN;
      }
    }
  } finally {
    model.clear();
  }
  return verdict(distances);
}

function verdict(distances: Record<string, number>): SelfTestReport {
  const right = (check: string) => distances[check] <= TOLERANCE;
  const chunks = right('chunks');
  const capabilities: EngineCapabilities = {
    batchedDecode: right('batched decode'),
    continuedPrefill: chunks,
    mixedSteps: right('mixed step') && right('batched decode'),
    swap: right('swap'),
  };
  // What follows a fork is a chunk on earlier tokens.
  const sharing = chunks && right('fork at a page');
  const prefixes: PrefixSharing = {
    sharing,
    withinPage: sharing && right('fork within a page'),
    trims: right('pop'),
  };
  const notes: string[] = [];
  const off = (check: string, consequence: string) => {
    if (right(check)) return;
    notes.push(
      `This GPU computes something wrongly (${check}: off by ${percent(distances[check])}), so ${consequence}.`,
    );
  };
  off('chunks', 'prompts are computed whole and prefixes are not shared');
  if (chunks) off('fork at a page', 'prefixes are not shared');
  if (sharing) off('fork within a page', 'prefixes are shared by whole pages only');
  off('batched decode', 'requests are served one at a time');
  if (capabilities.batchedDecode) off('mixed step', 'prompts and answers do not share a step');
  off('pop', 'prefixes are kept or given up whole');
  if ('swap' in distances) off('swap', 'pages are not swapped to CPU memory');
  return { capabilities, prefixes, notes, distances };
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(100 * share)}%` : 'all there is';
}

function worst(...values: number[]): number {
  return values.some(Number.isNaN) ? Number.NaN : Math.max(...values);
}

/** Root mean square difference, as a share of `b`'s standard deviation. NaN where either is broken. */
export function distance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length || a.length === 0) return Number.NaN;
  const mean = b.reduce((sum, value) => sum + value, 0) / b.length;
  let difference = 0;
  let variance = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    variance += (b[i] - mean) ** 2;
  }
  return Math.sqrt(difference / variance);
}

/**
 * Times steps of several sizes for the cost model: decodes of one and of several sequences, prefills
 * of a short and a long chunk. Stops early when `budgetMs` is spent; returns undefined where nothing
 * could be told.
 */
export async function calibrate(
  model: BatchModel,
  pipeline: MlcPipeline,
  size: { maxBatch: number; chunk: number; budgetMs: number },
): Promise<StepCosts | undefined> {
  const probe = new Probe(model, pipeline);
  const deadline = performance.now() + size.budgetMs;
  const room = model.availablePages * PAGE_SIZE;
  const long = Math.min(256, size.chunk, Math.floor(room / 4));
  const short = Math.max(1, Math.floor(long / 8));
  const batch = Math.max(1, Math.min(8, size.maxBatch, Math.floor(room / 4 / PAGE_SIZE)));
  const time = async (...members: [number, Int32Array][]) => {
    const start = performance.now();
    await probe.logits(...members);
    return performance.now() - start;
  };
  /** The faster of two, where there is time for two: the first of a kind may still compile. */
  const best = async (run: () => Promise<number>) => {
    const first = await run();
    return performance.now() < deadline ? Math.min(first, await run()) : first;
  };
  try {
    for (let slot = 0; slot < batch; slot++) model.open(slot);
    const one = (slot: number): [number, Int32Array] => [slot, probe.tokens(1, slot)];
    const all = Array.from({ length: batch }, (_, slot) => one(slot));
    await probe.logits(...all);
    const decodeOne = await best(() => time(one(0)));
    const decodeAll = batch > 1 ? await best(() => time(...all)) : decodeOne;
    if (performance.now() > deadline) return undefined;
    model.open(batch);
    const prefill = async (tokens: number) => {
      model.close(batch);
      model.open(batch);
      return time([batch, probe.tokens(tokens, 9)]);
    };
    const prefillShort = await best(() => prefill(short));
    const prefillLong = await best(() => prefill(long));
    // A decode with a long context, against one with hardly any.
    const decodeFar = await best(() => time(one(batch)));
    const perDecodeMs = Math.max(0, (decodeAll - decodeOne) / Math.max(1, batch - 1));
    return {
      baseMs: Math.max(0, decodeOne - perDecodeMs),
      perDecodeMs,
      perContextTokenMs: Math.max(0, (decodeFar - decodeOne) / long),
      perPrefillTokenMs: Math.max(0, (prefillLong - prefillShort) / (long - short)),
    };
  } finally {
    model.clear();
  }
}

/** What swapping a sequence out and in again costs, ms a token. */
export async function measureSwap(
  model: BatchModel,
  pipeline: MlcPipeline,
  swap: SwapSpace,
): Promise<number> {
  const probe = new Probe(model, pipeline);
  const tokens = probe.tokens(8 * PAGE_SIZE, 1);
  try {
    model.open(0);
    model.open(1);
    await probe.logits([0, tokens]);
    const start = performance.now();
    swap.copyIn(1, await swap.copyOut(0, tokens.length));
    await pipeline.device.sync();
    return (performance.now() - start) / tokens.length;
  } finally {
    model.clear();
  }
}

/** Runs forwards and brings their logits to the CPU. */
export class Probe {
  readonly #model: BatchModel;
  readonly #pipeline: MlcPipeline;

  constructor(model: BatchModel, pipeline: MlcPipeline) {
    this.#model = model;
    this.#pipeline = pipeline;
  }

  /** Made-up tokens, always the same for a seed. Low ids are text in every vocabulary. */
  tokens(count: number, seed: number): Int32Array {
    const random = seededRandom(seed);
    const range = Math.min(200, this.#pipeline.config.vocab_size);
    return Int32Array.from({ length: count }, () => Math.floor(random() * range));
  }

  /** Logits after each member's last token. */
  async logits(...members: [slot: number, tokens: Int32Array][]): Promise<Float32Array[]> {
    const { tvm, device } = this.#pipeline;
    const forward = members.map(
      ([slot, tokens]): ForwardMember => ({ slot, tokens, wanted: true }),
    );
    tvm.beginScope();
    try {
      const logits = this.#model.forward(forward);
      if (logits === undefined) throw new Error('A forward gave no logits.');
      const host = tvm.empty([...logits.shape], logits.dtype, tvm.cpu()).copyFrom(logits);
      await device.sync();
      const values = host.toArray() as Float32Array;
      const width = logits.shape[1];
      return members.map((_, row) => values.slice(row * width, (row + 1) * width));
    } finally {
      tvm.endScope();
    }
  }
}

/** A real server on the simulated engine in virtual time, with devices that can be lost. */

import type { Embedder } from '../../engine/embedder';
import {
  DEVICE_PROFILES,
  type DeviceProfile,
  loadSimulatedEngine,
  SimulatedClock,
} from '../../engine/simulated';
import { loadSimulatedEmbedder } from '../../engine/simulated/simulated-embedder';
import type { StepEngine } from '../../engine/step-engine';
import {
  type EngineCapabilities,
  type StepPlan,
  type StepResult,
  TempoError,
} from '../../scheduler';
import type { ChatCompletionParams } from '../chat-types';
import type { EmbeddingParams, EmbeddingResult, EmbeddingSubmission } from '../embedding-types';
import type { EngineKind } from '../engines';
import type { Outcome } from '../host';
import { TempoServer } from '../server';
import type {
  ChatSubmission,
  LoadConfig,
  Receipt,
  RequestEvent,
  ServerState,
  Snapshot,
  Submission,
  TextSubmission,
} from '../server-types';
import type { TextCompletionParams } from '../text-types';

/** What a test does to a device, by the number of the step (from 1, over all engines). */
export type Mishap = (step: number, device: FragileEngine) => void;

export interface HarnessOptions {
  profile?: Partial<DeviceProfile>;
  capabilities?: Partial<EngineCapabilities>;
  /** The model takes no images. */
  textOnly?: boolean;
  /** Called before each step; may lose the device or throw a failure of the step. */
  mishap?: Mishap;
  /** Called before each forward of an embedding model; may lose it, throw, or take its time. */
  onEmbed?: (embedder: FragileEmbedder, inputs: readonly Int32Array[]) => unknown;
  /** Called before each load of an embedding model; may throw. Number from 1. */
  onLoadEmbedder?: (load: number, signal: AbortSignal | undefined) => unknown;
  /** Called before each load; may throw. Number from 1. */
  onLoad?: (load: number, signal: AbortSignal | undefined) => unknown;
}

/** A simulated engine whose device can be lost. A step under way then never comes back. */
export class FragileEngine implements StepEngine {
  readonly lost: Promise<TempoError>;
  disposed = false;
  /** Sequences it holds. */
  readonly sequences = new Set<string>();
  /** Every sequence's tokens: those it came with, then those that were drawn for it. */
  readonly tokens = new Map<string, { given: number[]; drawn: number[] }>();
  /** Its steps and its disposal wait for this, and it does not say that it is lost. */
  hangsUntil: Promise<void> | undefined;
  /** Sequences for which it can draw no more. */
  readonly failing = new Map<string, TempoError>();
  /** Steps that it was asked for. */
  steps = 0;
  swaps = 0;
  readonly #engine: StepEngine;
  readonly #beforeStep: (device: FragileEngine) => void;
  #isLost = false;
  #lose: (error: TempoError) => void = () => {};

  constructor(engine: StepEngine, beforeStep: (device: FragileEngine) => void) {
    this.#engine = engine;
    this.#beforeStep = beforeStep;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  get model() {
    return this.#engine.model;
  }
  get status() {
    return this.#engine.status;
  }
  get costs() {
    return this.#engine.costs;
  }
  get capacity() {
    return this.#engine.capacity;
  }
  get capabilities() {
    return this.#engine.capabilities;
  }
  get kv() {
    return this.#engine.kv;
  }
  get prefixMetrics() {
    return this.#engine.prefixMetrics;
  }
  get usedPages(): number {
    return this.capacity.totalPages - this.kv.freePages;
  }

  lose(): void {
    this.#isLost = true;
    this.#lose(new TempoError('engine_lost', 'The device was lost.'));
  }

  add(spec: Parameters<StepEngine['add']>[0]) {
    if (this.#isLost) throw new TempoError('engine_lost', 'The device was lost.');
    this.sequences.add(spec.id);
    this.tokens.set(spec.id, { given: Array.from(spec.tokens), drawn: [] });
    return this.#engine.add(spec);
  }

  remove(sequenceId: string): void {
    this.sequences.delete(sequenceId);
    this.#engine.remove(sequenceId);
  }

  async step(plan: StepPlan): Promise<StepResult> {
    this.steps++;
    this.#beforeStep(this);
    if (this.#isLost) return new Promise(() => {});
    await this.hangsUntil;
    const result = await this.#engine.step(plan);
    const sampled = new Map(result.sampled);
    const failed = new Map([...this.failing].filter(([id]) => sampled.delete(id)));
    for (const [id, { token }] of sampled) this.tokens.get(id)?.drawn.push(token);
    return { ...result, sampled, failed };
  }

  /** Takes a moment, as a copy to CPU memory does. */
  async swapOut(sequenceId: string): Promise<void> {
    this.swaps++;
    await new Promise((resolve) => setTimeout(resolve, 2));
    this.remove(sequenceId);
  }

  async checkGrammar(...args: Parameters<NonNullable<StepEngine['checkGrammar']>>): Promise<void> {
    await this.#engine.checkGrammar?.(...args);
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    await this.hangsUntil;
    await this.#engine.dispose();
  }
}

/** A simulated embedding model whose device can be lost. */
export class FragileEmbedder implements Embedder {
  readonly lost: Promise<TempoError>;
  disposed = false;
  readonly #embedder: Embedder;
  readonly #onEmbed: HarnessOptions['onEmbed'];
  #isLost = false;
  #lose: (error: TempoError) => void = () => {};

  constructor(embedder: Embedder, onEmbed: HarnessOptions['onEmbed']) {
    this.#embedder = embedder;
    this.#onEmbed = onEmbed;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  get model() {
    return this.#embedder.model;
  }
  get simulated() {
    return this.#embedder.simulated;
  }
  get device() {
    return this.#embedder.device;
  }
  get contextWindow() {
    return this.#embedder.contextWindow;
  }
  get maxBatch() {
    return this.#embedder.maxBatch;
  }
  get vocabSize() {
    return this.#embedder.vocabSize;
  }

  lose(): void {
    this.#isLost = true;
    this.#lose(new TempoError('engine_lost', 'The device was lost.'));
  }

  encode(text: string): Int32Array {
    this.#check();
    return this.#embedder.encode(text);
  }

  async embed(inputs: readonly Int32Array[]): Promise<Float32Array[]> {
    await this.#onEmbed?.(this, inputs);
    this.#check();
    return this.#embedder.embed(inputs);
  }

  async dispose(): Promise<void> {
    this.disposed = true;
  }

  #check(): void {
    if (this.#isLost) throw new TempoError('engine_lost', 'The device was lost.');
  }
}

type EndEvent = Extract<RequestEvent, { type: 'done' | 'error' }>;

/** What a caller got. */
export interface Answer {
  texts: string[];
  finishReasons: (string | undefined)[];
  end: EndEvent;
}

/** A request that is on its way. */
interface Sent {
  id: string;
  receipt: Promise<Outcome<Receipt>>;
  answer: Promise<Answer>;
}

export class Harness {
  readonly clock = new SimulatedClock();
  readonly server: TempoServer;
  /** Every engine that was loaded. */
  readonly devices: FragileEngine[] = [];
  /** Every embedding model that was loaded. */
  readonly embedders: FragileEmbedder[] = [];
  readonly states: ServerState[] = [];
  readonly events: RequestEvent[] = [];
  /** Sizes of the batches that events came in. */
  readonly batches: number[] = [];
  #steps = 0;
  #loads = 0;
  #ids = 0;
  readonly #ends = new Map<string, (end: EndEvent) => void>();

  constructor(options: HarnessOptions = {}) {
    const kind: EngineKind = {
      async check({ model }) {
        if (model !== 'laptop-gpu') {
          throw new TempoError('unknown_model', `There is no "${model}".`, { param: 'model' });
        }
      },
      load: async (_config, { signal, onProgress }) => {
        await options.onLoad?.(++this.#loads, signal);
        const engine = await loadSimulatedEngine({
          profile: { ...DEVICE_PROFILES['laptop-gpu'], ...options.profile },
          capabilities: options.capabilities,
          clock: this.clock,
          signal,
          onProgress,
        });
        if (options.textOnly) Object.assign(engine.model, { images: undefined });
        const device = new FragileEngine(engine, (self) => {
          this.#steps++;
          options.mishap?.(this.#steps, self);
        });
        this.devices.push(device);
        return device;
      },
      loadEmbedder: async (model, { model: profile }, { signal }) => {
        await options.onLoadEmbedder?.(this.embedders.length + 1, signal);
        const embedder = await loadSimulatedEmbedder({ model, profile, clock: this.clock });
        this.embedders.push(new FragileEmbedder(embedder, options.onEmbed));
        return this.embedders[this.embedders.length - 1];
      },
    };
    this.server = new TempoServer({ clock: this.clock, engines: { simulated: kind } });
    this.server.listen((events) => this.#take(events));
    this.server.listenState((state) => {
      this.states.push(state);
    });
  }

  get device(): FragileEngine {
    return this.devices[this.devices.length - 1];
  }

  /** Steps that engines were asked for so far. */
  get steps(): number {
    return this.#steps;
  }

  load(config: Partial<LoadConfig> = {}): Promise<Outcome<ServerState>> {
    return this.server.load({
      engine: 'simulated',
      model: 'laptop-gpu',
      policy: 'tempo',
      ...config,
    });
  }

  /** Loaded, or the test fails. */
  async loaded(config: Partial<LoadConfig> = {}): Promise<this> {
    const outcome = await this.load(config);
    if (!outcome.ok) throw TempoError.fromJSON(outcome.error);
    return this;
  }

  submit(params: Partial<ChatCompletionParams>, submission: Partial<ChatSubmission> = {}): Sent {
    return this.#send({
      ...this.#envelope(),
      ...submission,
      params: { messages: [{ role: 'user', content: 'Go on.' }], ...params },
    });
  }

  /** A text to go on with. */
  submitText(
    params: Partial<TextCompletionParams>,
    submission: Partial<TextSubmission> = {},
  ): Sent {
    return this.#send({
      ...this.#envelope(),
      ...submission,
      kind: 'text',
      params: { prompt: 'Once upon a time', ...params },
    });
  }

  /** A request's answer, whole. */
  ask(
    params: Partial<ChatCompletionParams>,
    submission: Partial<ChatSubmission> = {},
  ): Promise<Answer> {
    return this.submit(params, submission).answer;
  }

  /** Vectors for texts. */
  embed(
    params: EmbeddingParams,
    submission: Partial<EmbeddingSubmission> = {},
  ): Promise<Outcome<EmbeddingResult>> {
    const id = `e${this.#ids++}`;
    return this.server.embed({
      id,
      app: 'search',
      slo: { class: 'best-effort' },
      ...submission,
      params,
    });
  }

  /** What a watcher sees now. */
  async snapshot(): Promise<Snapshot> {
    let handle = 0;
    const snapshot = await new Promise<Snapshot>((resolve) => {
      this.server.watch(resolve, 16).then((given) => {
        handle = given;
      });
    });
    await this.server.unwatch(handle);
    return snapshot;
  }

  /** How many ends a request has had. */
  ends(id: string): number {
    return this.events.filter(
      (event) => event.id === id && (event.type === 'done' || event.type === 'error'),
    ).length;
  }

  #envelope() {
    return { id: `r${this.#ids++}`, app: 'chat', slo: { class: 'best-effort' as const } };
  }

  #send(submission: Submission): Sent {
    const { id } = submission;
    const ended = new Promise<EndEvent>((resolve) => this.#ends.set(id, resolve));
    const receipt = this.server.submit(submission);
    const answer = Promise.race([
      ended,
      // A refused submission has its end in the receipt.
      receipt.then((outcome) =>
        outcome.ok ? ended : { type: 'error' as const, id, error: outcome.error },
      ),
    ]).then((end) => this.#answer(id, submission.params.n ?? 1, end));
    return { id, receipt, answer };
  }

  #take(events: RequestEvent[]): void {
    this.batches.push(events.length);
    this.events.push(...events);
    for (const event of events) {
      if (event.type === 'done' || event.type === 'error') this.#ends.get(event.id)?.(event);
    }
  }

  #answer(id: string, n: number, end: EndEvent): Answer {
    const texts = new Array<string>(n).fill('');
    const finishReasons = new Array<string | undefined>(n).fill(undefined);
    for (const event of this.events) {
      if (event.type !== 'delta' || event.id !== id) continue;
      texts[event.choice] += event.delta.content ?? '';
      finishReasons[event.choice] = event.finishReason ?? finishReasons[event.choice];
    }
    return { texts, finishReasons, end };
  }
}

/** What a failed answer failed of. */
export function codeOf({ end }: Answer): string {
  return end.type === 'error' ? end.error.code : 'done';
}

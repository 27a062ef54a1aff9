import type { Embedder } from '../engine/embedder';
import { inTime } from '../engine/within';
import { yieldToEventLoop } from '../engine/yield';
import { type Clock, TempoError } from '../scheduler';
import { aborted } from './aborted';
import type { EmbeddingResult, EmbeddingSubmission } from './embedding-types';
import { FIRST_STEP_PATIENCE_MS, STEP_PATIENCE_MS } from './engine-socket';
import { letGo } from './recovery';
import { type EmbeddingRequest, readEmbedding, readInput } from './validate/embedding';

/** What one batch may take while the chat model is at work, and while it is not, ms. */
const BUSY_BATCH_MS = 30;
const IDLE_BATCH_MS = 200;
/** Tokens of a batch before it is known how long they take. */
const FIRST_BATCH_TOKENS = 512;
/**
 * Times that loading a lost model is tried, each after a longer pause, and that it may be lost under one
 * request, before requests fail.
 */
const MAX_LOSSES = 3;
const RELOAD_AFTER_MS = 250;

/** Inputs looked at for one batch: others of the first's length may be far away. */
const MAX_LOOKED = 4096;

export interface EmbeddingsOptions {
  embedders: readonly Embedder[];
  /** Loads a lost one again, unless `controller` stops it. */
  reload: (model: string) => Promise<Embedder>;
  controller: AbortController;
  clock: Clock;
  /** Requests that may wait at once. */
  maxWaiting: number;
  /** Share of the time that best-effort work gets while the chat model is at work, 0 to 1. */
  bestEffortShare: number;
  /** There is something to do. */
  wake: () => void;
}

/** A loaded model. */
interface Entry {
  embedder: Embedder;
  /** It is being loaded again, or given up until somebody asks for it. */
  lost: boolean;
  reviving?: Promise<void>;
  /** Ends the batch under way. */
  cut?: (error: TempoError) => void;
  /** As measured. */
  msPerToken?: number;
}

/** A request that has not ended. */
interface Job {
  readonly id: string;
  readonly model: string;
  /** Goes at once; others wait until the chat model rests, or for their share. */
  readonly urgent: boolean;
  readonly inputs: readonly Int32Array[];
  readonly vectors: Float32Array[];
  /** Inputs without a vector. */
  left: number;
  losses: number;
  readonly dimensions: number | undefined;
  readonly arrivalMs: number;
  startMs?: number;
  resolve(result: EmbeddingResult): void;
  reject(error: TempoError): void;
}

interface Batch {
  entry: Entry;
  members: { job: Job; index: number }[];
  tokens: number;
}

/**
 * Embedding models and the requests for them. They compute between the chat model's steps, a batch that is
 * short at a time: requests of class latency, deadline or program one after each step; best-effort ones
 * when there is no step to take, or else no more than their share of the time.
 */
export class Embeddings {
  readonly #options: EmbeddingsOptions;
  readonly #entries: Map<string, Entry>;
  readonly #jobs = new Map<string, Job>();
  /** Requests whose model is being loaded again. */
  readonly #arriving = new Set<string>();
  /** Before then, best-effort work has had its share. */
  #bestEffortMs = Number.NEGATIVE_INFINITY;
  #running = false;
  #disposed: TempoError | undefined;

  constructor(options: EmbeddingsOptions) {
    this.#options = options;
    this.#entries = new Map(
      options.embedders.map((embedder) => [embedder.model, { embedder, lost: false }]),
    );
    for (const entry of this.#entries.values()) this.#watch(entry);
  }

  /** The loaded models' ids, the first the one that answers where none is named. */
  get models(): string[] {
    return [...this.#entries.keys()];
  }

  /** Rejects with what is wrong with the request, or what became of it. */
  async embed(submission: EmbeddingSubmission): Promise<EmbeddingResult> {
    const request = readEmbedding(submission);
    const { id, slo, model, dimensions } = request;
    if (this.#disposed !== undefined) throw this.#disposed;
    if (this.#jobs.has(id) || this.#arriving.has(id)) {
      throw new TempoError('invalid_request', `There is a request "${id}" already.`, {
        param: 'id',
      });
    }
    const arrivalMs = this.#options.clock.now();
    const entry = this.#named(model);
    this.#checkRoom(entry);
    this.#arriving.add(id);
    const inputs = await this.#tokens(request, entry).catch((error: unknown) => {
      this.#arriving.delete(id);
      throw error;
    });
    if (!this.#arriving.delete(id)) throw aborted();
    if (this.#disposed !== undefined) throw this.#disposed;
    return new Promise((resolve, reject) => {
      this.#jobs.set(id, {
        id,
        model: entry.embedder.model,
        urgent: slo.class !== 'best-effort',
        inputs,
        vectors: [],
        left: inputs.length,
        losses: 0,
        dimensions,
        arrivalMs,
        resolve,
        reject,
      });
      this.#options.wake();
    });
  }

  abort(id: string): void {
    this.#arriving.delete(id);
    this.#fail(id, aborted());
  }

  /**
   * Computes one batch, if it is time for one; resolves to whether it was. `idle`: the chat model has
   * nothing to do. Never rejects.
   */
  async turn(idle: boolean): Promise<boolean> {
    const batch = this.#nextBatch(idle);
    if (batch === undefined) return false;
    const { entry, members } = batch;
    const startMs = this.#options.clock.now();
    for (const { job } of members) job.startMs ??= startMs;
    try {
      const vectors = await this.#computed(batch);
      this.#account(batch, this.#options.clock.now() - startMs);
      for (const [i, { job, index }] of members.entries()) this.#take(job, index, vectors[i]);
    } catch (thrown) {
      const error = TempoError.from(thrown);
      const lost = error.code === 'engine_lost';
      for (const job of new Set(members.map(({ job }) => job))) {
        // A lost model's are computed once it is back.
        if (!lost || ++job.losses > MAX_LOSSES) this.#fail(job.id, error);
      }
      if (lost) this.#revive(entry).catch(() => {}); // its requests are told
    }
    return true;
  }

  /** Computes what there is, where there is no chat model between whose steps it could be done. */
  async runAlone(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (await this.turn(true)) await yieldToEventLoop();
    this.#running = false;
  }

  /** Fails what is open, and lets go of the models. */
  async dispose(error: TempoError): Promise<void> {
    this.#disposed = error;
    this.#options.controller.abort(error);
    for (const id of [...this.#jobs.keys()]) this.#fail(id, error);
    await Promise.all([...this.#entries.values()].map(({ embedder }) => letGo(embedder)));
  }

  /** A model that does not answer, or answers something else, is lost: it must not stop the chat. */
  async #computed({ entry, members, tokens }: Batch): Promise<Float32Array[]> {
    const { embedder, msPerToken } = entry;
    const ms =
      msPerToken === undefined
        ? FIRST_STEP_PATIENCE_MS
        : STEP_PATIENCE_MS + 20 * tokens * msPerToken;
    const answer = new Promise<Float32Array[]>((resolve, reject) => {
      entry.cut = reject;
      embedder.embed(members.map(({ job, index }) => job.inputs[index])).then(resolve, reject);
    });
    const late = `The embedding model has not answered for ${Math.round(ms / 1000)} s.`;
    const vectors = await inTime(ms, answer, () => new TempoError('engine_lost', late));
    if (members.every((_, i) => vectors[i]?.every?.(Number.isFinite))) return vectors;
    throw new TempoError('engine_failed', 'The embedding model gave no numbers. Send it again.');
  }

  #named(model: string | undefined): Entry {
    const [first] = this.#entries.values();
    const entry = model === undefined ? first : this.#entries.get(model);
    if (entry !== undefined) return entry;
    throw new TempoError(
      'unknown_model',
      `No embedding model "${model}" is loaded; loaded are ${this.models.join(', ')}. Name one of these, or none.`,
      { param: 'model' },
    );
  }

  #checkRoom({ msPerToken = 0 }: Entry): void {
    const waiting = this.#jobs.size + this.#arriving.size;
    if (waiting < this.#options.maxWaiting) return;
    const [first] = this.#jobs.values();
    const tokens = first?.inputs.reduce((sum, { length }) => sum + length, 0) ?? 0;
    const retryAfterMs = Math.ceil(Math.max(BUSY_BATCH_MS, tokens * msPerToken));
    throw new TempoError(
      'queue_full',
      `${waiting} requests for embeddings are waiting, the most there may be. Try again in ${retryAfterMs} ms.`,
      { retryAfterMs },
    );
  }

  /** Waits for a lost model to come back. */
  async #tokens({ input }: EmbeddingRequest, entry: Entry): Promise<Int32Array[]> {
    while (true) {
      if (entry.lost) await this.#revive(entry);
      try {
        return await readInput(input, entry.embedder);
      } catch (thrown) {
        if (!(thrown instanceof TempoError) || thrown.code !== 'engine_lost') throw thrown;
        entry.lost = true;
      }
    }
  }

  #nextBatch(idle: boolean): Batch | undefined {
    const nowMs = this.#options.clock.now();
    const due = idle || nowMs >= this.#bestEffortMs;
    const jobs = [...this.#jobs.values()];
    const ready = [
      ...jobs.filter(({ urgent }) => urgent),
      ...jobs.filter((job) => due && !job.urgent),
    ];
    const first = ready.find(({ model }) => this.#entries.get(model)?.lost === false);
    const entry = first && this.#entries.get(first.model);
    if (entry === undefined) return undefined;
    const ms = idle ? IDLE_BATCH_MS : BUSY_BATCH_MS;
    const most = entry.msPerToken === undefined ? FIRST_BATCH_TOKENS : ms / entry.msPerToken;
    const members: Batch['members'] = [];
    let tokens = 0;
    let looked = 0;
    for (const job of ready) {
      if (job.model !== first?.model) continue;
      for (const [index, { length }] of job.inputs.entries()) {
        if (job.vectors[index] !== undefined) continue;
        if (++looked > MAX_LOOKED) return { entry, members, tokens };
        // One length: the first's. Then nothing is padded, and nobody's vector depends on who is with it.
        if (members.length > 0 && length !== tokens / members.length) continue;
        const full = members.length === entry.embedder.maxBatch || tokens + length > most;
        if (members.length > 0 && full) return { entry, members, tokens };
        members.push({ job, index });
        tokens += length;
      }
    }
    return { entry, members, tokens };
  }

  #account({ entry, members, tokens }: Batch, tookMs: number): void {
    const msPerToken = tookMs / tokens;
    entry.msPerToken = ((entry.msPerToken ?? msPerToken) + msPerToken) / 2;
    if (members[0].job.urgent) return;
    const { bestEffortShare: share, clock } = this.#options;
    this.#bestEffortMs = clock.now() + tookMs * (1 / share - 1);
  }

  #take(job: Job, index: number, vector: Float32Array): void {
    if (this.#jobs.get(job.id) !== job) return; // aborted meanwhile
    const { dimensions = vector.length } = job;
    if (dimensions > vector.length) {
      const sentence = `"${job.model}" gives ${vector.length} dimensions, not ${dimensions}.`;
      this.#fail(job.id, new TempoError('invalid_request', sentence, { param: 'dimensions' }));
      return;
    }
    job.vectors[index] = toUnitLength(vector.subarray(0, dimensions));
    if (--job.left > 0) return;
    this.#jobs.delete(job.id);
    const nowMs = this.#options.clock.now();
    const tokens = job.inputs.reduce((sum, { length }) => sum + length, 0);
    job.resolve({
      model: job.model,
      vectors: job.vectors,
      usage: {
        prompt_tokens: tokens,
        total_tokens: tokens,
        extra: {
          queued_ms: (job.startMs ?? nowMs) - job.arrivalMs,
          ttlt_ms: nowMs - job.arrivalMs,
        },
      },
      simulated: this.#entries.get(job.model)?.embedder.simulated ?? false,
    });
  }

  #fail(id: string, error: TempoError): void {
    const job = this.#jobs.get(id);
    this.#jobs.delete(id);
    job?.reject(error);
  }

  #watch(entry: Entry): void {
    const { embedder } = entry;
    void embedder.lost.then((error) => {
      if (entry.embedder !== embedder) return;
      entry.cut?.(error);
      this.#revive(entry).catch(() => {}); // its requests are told
    });
  }

  /** Loads a lost model again. Its requests wait; where it does not come back they fail, and this, too. */
  #revive(entry: Entry): Promise<void> {
    entry.lost = true;
    entry.reviving ??= this.#reload(entry).finally(() => {
      entry.reviving = undefined;
    });
    return entry.reviving;
  }

  async #reload(entry: Entry): Promise<void> {
    const { model } = entry.embedder;
    let error = new TempoError('engine_lost', 'The device was lost.');
    for (let attempt = 0; attempt < MAX_LOSSES; attempt++) {
      await letGo(entry.embedder);
      await new Promise((resolve) => setTimeout(resolve, attempt * RELOAD_AFTER_MS));
      if (this.#disposed !== undefined) throw this.#disposed;
      try {
        entry.embedder = await this.#options.reload(model);
        entry.lost = false;
        break;
      } catch (thrown) {
        error = TempoError.from(thrown);
      }
    }
    if (this.#disposed !== undefined) {
      await letGo(entry.embedder);
      throw this.#disposed;
    }
    if (entry.lost) {
      const gone = gaveUp(model, error);
      for (const job of [...this.#jobs.values()]) if (job.model === model) this.#fail(job.id, gone);
      throw gone;
    }
    this.#watch(entry);
    this.#options.wake();
  }
}

function gaveUp(model: string, cause: TempoError): TempoError {
  return new TempoError(
    'engine_lost',
    `The device of "${model}" was lost and did not come back after ${MAX_LOSSES} tries (${cause.message}) Try again later, or load a smaller model.`,
    { cause },
  );
}

function toUnitLength(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((value) => value / length) : vector.slice();
}

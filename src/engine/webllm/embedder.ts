import { TempoError } from '../../scheduler';
import type { Embedder } from '../embedder';
import type { LoadOptions } from '../step-engine';
import { abortable, aborted, letGo, throwIfAborted } from './abortable';
import type { AppConfig } from './app-config';
import { download } from './download';
import { nameOf } from './gpu-device';
import { watchGpu } from './gpu-watch';
import { type EmbeddingParts, type MlcTokenizer, readEmbeddingParts } from './internals';
import { Lifeline } from './lifeline';
import { loadError } from './load-errors';
import { ReportReader } from './load-progress';
import {
  importWebLlm,
  kindOf,
  type MlcEngine,
  modelRecord,
  notForEmbeddings,
  usableGpu,
  type WebLlmModule,
} from './webllm-module';

export interface WebLlmEmbedderOptions extends LoadOptions {
  /** An embedding model's id in `appConfig`'s list. */
  model: string;
  /** Default: WebLLM's prebuilt list. */
  appConfig?: AppConfig;
  /** WebLLM itself. Default: the package's, loaded now. */
  webllm?: WebLlmModule;
  /** Default: `navigator.gpu`. */
  gpu?: GPU;
}

/**
 * Loads an embedding model through WebLLM, in an `MLCEngine` of its own: WebLLM gives every model a runtime
 * and a GPU device of its own anyway, and apart they can be loaded, lost and let go of apart. Throws as
 * `loadWebLlmEngine` does.
 */
export async function loadWebLlmEmbedder(options: WebLlmEmbedderOptions): Promise<Embedder> {
  const { model, signal, onProgress } = options;
  throwIfAborted(signal);
  const webllm = options.webllm ?? (await importWebLlm());
  const appConfig = options.appConfig ?? webllm.prebuiltAppConfig;
  const record = modelRecord(appConfig, model);
  if (kindOf(record) !== 'embedding') throw notForEmbeddings(record, 'model');
  const watch = watchGpu(await usableGpu(options.gpu, record));
  const reports = new ReportReader();
  const engine = new webllm.MLCEngine({
    appConfig,
    initProgressCallback: (report) => onProgress?.(reports.read(report)),
  });
  const unload = () => letGo(engine, watch.device);
  try {
    await abortable(signal, () =>
      download({
        record,
        appConfig,
        signal,
        onProgress: (progress) => onProgress?.(reports.download(progress)),
      }),
    );
    await abortable(signal, () => engine.reload(model), unload);
    const parts = readEmbeddingParts(engine, model);
    if (typeof parts === 'string') throw new TempoError('unsupported', parts);
    const { device, adapter } = watch;
    if (device === undefined) throw new TempoError('engine_failed', 'WebLLM made no GPU device.');
    onProgress?.({ phase: 'ready', text: `Ready: ${model}.`, fraction: 1 });
    const deviceLost = device.lost.then(({ message, reason }) => message || String(reason));
    return new WebLlmEmbedder(model, engine, parts, nameOf(adapter), deviceLost, unload);
  } catch (error) {
    await unload().catch(() => {});
    throw signal?.aborted ? aborted() : loadError(error);
  } finally {
    watch.stop();
  }
}

class WebLlmEmbedder implements Embedder {
  readonly model: string;
  readonly simulated = false;
  readonly device: string;
  readonly contextWindow: number;
  readonly maxBatch: number;
  readonly vocabSize: number;
  readonly lost: Promise<TempoError>;
  readonly #engine: MlcEngine;
  readonly #tokenizer: MlcTokenizer;
  readonly #life: Lifeline;
  readonly #unload: () => Promise<void>;
  readonly #around: { first: number | undefined; last: number | undefined };

  constructor(
    model: string,
    engine: MlcEngine,
    { tokenizer, config, maxBatchSize }: EmbeddingParts,
    device: string,
    deviceLost: Promise<string>,
    unload: () => Promise<void>,
  ) {
    this.model = model;
    this.device = device;
    this.contextWindow = config.context_window_size;
    this.maxBatch = maxBatchSize;
    this.vocabSize = tokenizer.getVocabSize();
    this.#engine = engine;
    this.#tokenizer = tokenizer;
    this.#unload = unload;
    this.#around = { first: idOf(tokenizer, '[CLS]', 101), last: idOf(tokenizer, '[SEP]', 102) };
    this.#life = new Lifeline(deviceLost);
    this.lost = this.#life.lost;
  }

  /**
   * With [CLS] before it and [SEP] after it, where the model knows them and the text does not have them
   * (WebLLM leaves them to its callers): the vector is the one at [CLS].
   */
  encode(text: string): Int32Array {
    this.#life.check();
    const ids = this.#encodeAll(text);
    const { first, last } = this.#around;
    if (first !== undefined && ids[0] !== first) ids.unshift(first);
    if (last !== undefined && ids.at(-1) !== last) ids.push(last);
    return Int32Array.from(ids);
  }

  /** The tokenizers of such models cut a text off at their context window; in pieces it comes whole. */
  #encodeAll(text: string): number[] {
    if (text === '') return [];
    const whole = Array.from(this.#tokenizer.encode(text));
    if (whole.length < this.contextWindow - 2) return whole;
    // No character is more than four tokens.
    const parts = pieces(text, Math.max(1, this.contextWindow / 4 - 2) | 0);
    const all = parts.flatMap((part) => Array.from(this.#tokenizer.encode(part)));
    return all.length > whole.length ? all : whole;
  }

  async embed(inputs: readonly Int32Array[]): Promise<Float32Array[]> {
    this.#life.check();
    const input = inputs.map((ids) => Array.from(ids));
    const { data } = await this.#life.wait(this.#engine.embedding({ input, model: this.model }));
    return data.map(({ embedding }) => Float32Array.from(embedding));
  }

  async dispose(): Promise<void> {
    this.#life.dispose();
    await this.#unload().catch(() => {});
  }
}

/** The id of a token, which is `likely` as a rule; undefined where the vocabulary has none such. */
function idOf(tokenizer: MlcTokenizer, token: string, likely: number): number | undefined {
  const size = tokenizer.getVocabSize();
  if (likely < size && tokenizer.idToToken(likely) === token) return likely;
  for (let id = 0; id < size; id++) if (tokenizer.idToToken(id) === token) return id;
  return undefined;
}

/** A text cut into pieces of at most `most` characters, before words where it has any. */
function pieces(text: string, most: number): string[] {
  return text.match(new RegExp(`.{1,${most}}(?=\\s|$)|.{1,${most}}`, 'gsu')) ?? [];
}

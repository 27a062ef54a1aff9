import { type EngineCapabilities, TempoError } from '../../scheduler';
import { SequenceTable } from '../kv';
import type { LoadOptions, StepEngine } from '../step-engine';
import { BatchModel, PAGE_SIZE } from './batch-model';
import { type GpuWatch, watchGpu } from './gpu-watch';
import { type Internals, libraryHas, readInternals, SAMPLING_FUNCTIONS } from './internals';
import { fits, type KvSize, kvBytesPerToken, kvSize, weightBytes } from './kv-memory';
import { LazyGrammars } from './lazy-grammars';
import { loadError } from './load-errors';
import { readReport, type WebLlmReport } from './load-progress';
import { loadedModel } from './loaded-model';
import { RowSampler } from './row-sampler';
import { WebLlmEngine } from './webllm-engine';

/** The part of WebLLM's public API that loading uses. */
export interface WebLlmModule {
  readonly MLCEngine: new (config: {
    appConfig: WebLlmAppConfig;
    initProgressCallback: (report: WebLlmReport) => void;
  }) => MlcEngine;
  readonly prebuiltAppConfig: WebLlmAppConfig;
}

/** `MLCEngine`. */
export interface MlcEngine {
  reload(modelId: string, options?: { context_window_size?: number }): Promise<void>;
  unload(): Promise<void>;
}

/** `ModelRecord`. */
export interface WebLlmModelRecord {
  model_id: string;
  required_features?: string[];
  overrides?: { context_window_size?: number };
}

/** `AppConfig`. */
export interface WebLlmAppConfig {
  model_list: WebLlmModelRecord[];
}

export interface WebLlmOptions extends LoadOptions {
  /** A model id of `appConfig`'s list. */
  model: string;
  /** Default: WebLLM's prebuilt list. */
  appConfig?: WebLlmAppConfig;
  /** Sequences that may hold pages at once. Default 32. */
  maxSequences?: number;
  /** Memory for the KV cache, bytes. Default: by the model's size, see `defaultBudget`. */
  kvBudgetBytes?: number;
  /** Longest prompt plus output, tokens. Default, and at most: the model's own. */
  contextWindow?: number;
  /** Finished sequences kept as prefixes for those to come, at most. Default 32; 0: none. */
  keepPrefixes?: number;
  /** WebLLM itself. Default: the package's, loaded now. */
  webllm?: WebLlmModule;
  /** Default: `navigator.gpu`. */
  gpu?: GPU;
}

/** What WebLLM's own cache is cut down to, tokens: it takes no part in serving. */
const OWN_CACHE_TOKENS = 64;
/** Finished sequences kept as prefixes, where the caller does not say. */
const DEFAULT_KEPT = 32;

/**
 * Loads a model through WebLLM and serves it in batches. Throws TempoErrors: unknown_model,
 * webgpu_unavailable, shader_f16_unavailable, unsupported, network, out_of_memory, aborted.
 */
export async function loadWebLlmEngine(options: WebLlmOptions): Promise<StepEngine> {
  const { model, signal } = options;
  throwIfAborted(signal);
  const webllm = options.webllm ?? (await importWebLlm());
  const appConfig = options.appConfig ?? webllm.prebuiltAppConfig;
  const record = modelRecord(appConfig, model);
  const gpu = await usableGpu(options.gpu, record);
  const watch = watchGpu(gpu);
  const engine = new webllm.MLCEngine({
    appConfig,
    initProgressCallback: (report) => options.onProgress?.(readReport(report)),
  });
  const unload = () => engine.unload();
  try {
    await abortable(
      signal,
      engine.reload(model, { context_window_size: OWN_CACHE_TOKENS }),
      unload,
    );
    const internals = readInternals(engine, model);
    if (typeof internals === 'string') throw new TempoError('unsupported', internals);
    return await batchedEngine(options, record, internals, watch, unload);
  } catch (error) {
    await unload().catch(() => {});
    throw loadError(error);
  } finally {
    watch.stop();
  }
}

/** Throws unknown_model unless WebLLM's prebuilt list has the model. */
export async function checkWebLlmModel(model: string): Promise<void> {
  modelRecord((await importWebLlm()).prebuiltAppConfig, model);
}

function modelRecord({ model_list: list }: WebLlmAppConfig, model: string): WebLlmModelRecord {
  const record = list.find(({ model_id }) => model_id === model);
  if (record === undefined) {
    throw new TempoError('unknown_model', `WebLLM does not know a model "${model}".`, {
      param: 'model',
    });
  }
  return record;
}

async function importWebLlm(): Promise<WebLlmModule> {
  try {
    return (await import('@mlc-ai/web-llm')) as unknown as WebLlmModule;
  } catch (error) {
    throw new TempoError('network', 'WebLLM itself could not be loaded. Check the connection.', {
      cause: error,
    });
  }
}

/** Looks at the GPU before a gigabyte is downloaded for it. */
async function usableGpu(given: GPU | undefined, record: WebLlmModelRecord): Promise<GPU> {
  const gpu = given ?? (globalThis.navigator as Partial<Navigator> | undefined)?.gpu;
  if (gpu === undefined) throw loadError(new Error('WebGPU is not available.'));
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw loadError(new Error('WebGPU is not available: there is no adapter.'));
  for (const feature of record.required_features ?? []) {
    if (!adapter.features.has(feature)) {
      throw loadError(new Error(`FeatureSupport: the GPU has no ${feature}.`));
    }
  }
  return gpu;
}

async function batchedEngine(
  options: WebLlmOptions,
  record: WebLlmModelRecord,
  internals: Internals,
  watch: GpuWatch,
  unload: () => Promise<void>,
): Promise<StepEngine> {
  const { pipeline, metadata } = internals;
  const { device, adapter } = watch;
  if (device === undefined) throw new TempoError('engine_failed', 'WebLLM made no GPU device.');
  const notes: string[] = [];
  if (watch.fixedKernels > 0) {
    notes.push('A race in a prebuilt kernel (merge_state_inplace_kernel) was put right.');
  }
  const maxBatch = Math.min(options.maxSequences ?? 32, metadata.max_batch_size ?? 1);
  const maxSequences = options.maxSequences ?? maxBatch;
  const trueWindow = record.overrides?.context_window_size ?? metadata.context_window_size;
  const contextWindow = Math.min(options.contextWindow ?? trueWindow, trueWindow);
  const vocabSize = pipeline.config.vocab_size;
  const batch = await allocate(options, internals, device, {
    sequences: maxSequences,
    contextWindow,
    vocabSize,
    notes,
  });

  const capabilities: EngineCapabilities = {
    batchedDecode: true,
    continuedPrefill: true,
    mixedSteps: true,
    fork: true,
    truncate: true,
  };
  const totalPages = batch.model.availablePages;
  const table = new SequenceTable(
    {
      totalPages,
      pageSize: PAGE_SIZE,
      maxSequences,
      maxKept: options.keepPrefixes ?? DEFAULT_KEPT,
      sharing: capabilities.fork,
      sharesWithinPage: capabilities.fork,
      trims: capabilities.truncate,
    },
    batch.model,
  );
  options.onProgress?.({ phase: 'ready', text: 'Ready.', fraction: 1 });
  return new WebLlmEngine({
    pipeline,
    batch: batch.model,
    table,
    sampler: new RowSampler(pipeline, vocabSize, libraryHas(pipeline, SAMPLING_FUNCTIONS)),
    grammars: new LazyGrammars(pipeline, vocabSize),
    model: loadedModel(options.model, pipeline),
    status: {
      kind: 'webllm',
      model: options.model,
      device: deviceName(adapter),
      mode: 'batched',
      notes,
      kvBytes: batch.size.bytes,
    },
    capacity: {
      maxSequences,
      maxBatch,
      totalPages,
      pageSize: PAGE_SIZE,
      contextWindow,
      maxPrefillTokens: metadata.prefill_chunk_size - maxBatch,
    },
    capabilities,
    costs: { baseMs: 30, perDecodeMs: 1, perContextTokenMs: 0.001, perPrefillTokenMs: 0.5 },
    deviceLost: device.lost.then(({ message, reason }) => message || String(reason)),
    unload,
  });
}

/** Makes the KV cache as large as the budget says, or half of that, and so on, until it fits. */
async function allocate(
  options: WebLlmOptions,
  internals: Internals,
  device: GPUDevice,
  wanted: { sequences: number; contextWindow: number; vocabSize: number; notes: string[] },
): Promise<{ model: BatchModel; size: KvSize }> {
  const { metadata } = internals;
  const { limits } = device;
  const perToken = kvBytesPerToken(metadata) ?? 0;
  const weights = weightBytes(metadata, wanted.vocabSize);
  let size = kvSize(metadata, weights, {
    budgetBytes: options.kvBudgetBytes,
    sequences: wanted.sequences,
    contextWindow: wanted.contextWindow,
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
  });
  for (let attempt = 0; ; attempt++) {
    options.onProgress?.({
      phase: 'allocate',
      text: `Allocating a KV cache of ${mebibytes(size.bytes)} MiB for ${size.tokens} tokens.`,
      fraction: 0.92,
      totalBytes: size.bytes,
    });
    throwIfAborted(options.signal);
    if (await fits(device, metadata, size)) {
      const model = new BatchModel(internals, {
        sequences: wanted.sequences + (options.keepPrefixes ?? DEFAULT_KEPT) + 1,
        tokens: size.tokens,
        chunk: metadata.prefill_chunk_size,
      });
      if (attempt > 0) {
        wanted.notes.push(
          `The GPU had no room for a larger KV cache than ${mebibytes(size.bytes)} MiB (${size.tokens} tokens).`,
        );
      }
      return { model, size };
    }
    const tokens = Math.floor(size.tokens / 2 / PAGE_SIZE) * PAGE_SIZE;
    if (tokens < 4 * PAGE_SIZE) {
      throw new TempoError(
        'out_of_memory',
        'The GPU has no room for a KV cache beside the model. Choose a smaller model, or close other pages that use the GPU.',
      );
    }
    size = { tokens, bytes: tokens * perToken };
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function deviceName(adapter: GPUAdapter | undefined): string {
  const info = adapter?.info;
  return info?.description || [info?.vendor, info?.architecture].filter(Boolean).join(' ') || 'GPU';
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new TempoError('aborted', 'Loading was aborted.');
}

/** Waits for `work`, but no longer than `signal` allows; then `stop` ends it. */
async function abortable(
  signal: AbortSignal | undefined,
  work: Promise<void>,
  stop: () => Promise<void>,
): Promise<void> {
  throwIfAborted(signal);
  if (signal === undefined) return work;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(new TempoError('aborted', 'Loading was aborted.'));
      void stop().catch(() => {});
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
    throwIfAborted(signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
  }
}

import { TempoError } from '../../scheduler';
import type { LoadOptions, StepEngine } from '../step-engine';
import { unlessAborted, within } from '../within';
import { batchedEngine, batchingObstacle } from './batched-load';
import { watchGpu } from './gpu-watch';
import { readInternals, runtimeDevice } from './internals';
import { DeviceOverfull } from './kv-allocation';
import { loadError } from './load-errors';
import { ReportReader, type WebLlmReport } from './load-progress';
import { LogitTap, type SerialApi } from './serial-engine';
import { serialEngine } from './serial-load';

/** The part of WebLLM's public API that loading uses. */
export interface WebLlmModule {
  readonly MLCEngine: new (config: {
    appConfig: WebLlmAppConfig;
    initProgressCallback: (report: WebLlmReport) => void;
    logitProcessorRegistry?: Map<string, LogitTap>;
  }) => MlcEngine;
  readonly prebuiltAppConfig: WebLlmAppConfig;
}

/** `MLCEngine`. */
export interface MlcEngine extends SerialApi {
  reload(modelId: string, options?: { context_window_size?: number }): Promise<void>;
  unload(): Promise<void>;
}

/** `ModelRecord`. */
export interface WebLlmModelRecord {
  model_id: string;
  /** 1: an embedding model. */
  model_type?: number;
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
  /**
   * Whether the device is tested and timed once the model is loaded. `auto` (default): unless it is
   * a software device, on which that takes minutes.
   */
  selfTest?: 'always' | 'never' | 'auto';
  /** WebLLM itself. Default: the package's, loaded now. */
  webllm?: WebLlmModule;
  /** Default: `navigator.gpu`. */
  gpu?: GPU;
}

/** Loads after one that lost its device for want of memory. The weights come from the cache then. */
const MAX_RETRIES = 2;

/** After so long what WebLLM has not let go of by itself goes with its device, ms. */
const UNLOAD_WITHIN_MS = 500;

/** What WebLLM's own cache is cut down to, tokens: it takes no part in serving. */
const OWN_CACHE_TOKENS = 64;
/**
 * Loads a model through WebLLM and serves it in batches. Throws TempoErrors: unknown_model,
 * webgpu_unavailable, shader_f16_unavailable, unsupported, network, out_of_memory, aborted.
 */
export async function loadWebLlmEngine(options: WebLlmOptions): Promise<StepEngine> {
  let budget = options.kvBudgetBytes;
  for (let attempt = 0; ; attempt++) {
    try {
      return await loadOnce({ ...options, kvBudgetBytes: budget }, attempt > 0);
    } catch (error) {
      if (!(error instanceof DeviceOverfull) || attempt === MAX_RETRIES) throw error;
      budget = error.kvBytes / 2;
    }
  }
}

/** `again`: an earlier attempt ran out of memory, and this one is to make do with less. */
async function loadOnce(options: WebLlmOptions, again: boolean): Promise<StepEngine> {
  const { model, signal } = options;
  throwIfAborted(signal);
  const webllm = options.webllm ?? (await importWebLlm());
  const appConfig = options.appConfig ?? webllm.prebuiltAppConfig;
  const record = modelRecord(appConfig, model);
  if (record.model_type === 1) {
    throw new TempoError('unsupported', `"${model}" computes embeddings; choose a chat model.`, {
      param: 'model',
    });
  }
  const gpu = await usableGpu(options.gpu, record);
  const watch = watchGpu(gpu);
  const tap = new LogitTap();
  const reports = new ReportReader();
  const create = () =>
    new webllm.MLCEngine({
      appConfig,
      initProgressCallback: (report) => options.onProgress?.(reports.read(report)),
      // For serial serving; batched serving does not come by it.
      logitProcessorRegistry: new Map([[model, tap]]),
    });
  let engine = create();
  const reload = (options?: { context_window_size: number }) =>
    abortable(signal, engine.reload(model, options), unload);
  const unload = async () => {
    // It waits for the GPU, which may hang.
    await within(UNLOAD_WITHIN_MS, engine.unload());
    // A runtime that broke down cannot let go of its memory; without its device it has none.
    watch.device?.destroy();
  };
  try {
    let tiny = true;
    try {
      await reload({ context_window_size: OWN_CACHE_TOKENS });
    } catch (error) {
      // A model with a sliding window takes no context window.
      if (!(error instanceof Error && error.name === 'WindowSizeConfigurationError')) throw error;
      await unload();
      engine = create();
      await reload();
      tiny = false;
    }
    const internals = readInternals(engine, model);
    const obstacle = typeof internals === 'string' ? internals : batchingObstacle(internals);
    if (typeof internals === 'object' && obstacle === undefined) {
      const device = runtimeDevice(internals.pipeline) ?? watch.device;
      if (device === undefined) throw new TempoError('engine_failed', 'WebLLM made no GPU device.');
      const made = batchedEngine(options, record, internals, { ...watch, device }, unload, again);
      // On a GPU that hangs it never notices an abort by itself.
      return await (signal ? unlessAborted(made, signal, UNLOAD_WITHIN_MS) : made);
    }
    // Once more, from WebLLM's cache, with the context window that the model has.
    if (tiny) await reload();
    return serialEngine(options, engine, tap, String(obstacle), { ...watch, unload });
  } catch (error) {
    await unload().catch(() => {});
    throw signal?.aborted ? aborted() : loadError(error);
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

function aborted(): TempoError {
  return new TempoError('aborted', 'Loading was aborted.');
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted();
}

/** Waits for `work`, but no longer than `signal` allows; then `stop` ends it. */
async function abortable(
  signal: AbortSignal | undefined,
  work: Promise<void>,
  stop: () => Promise<void>,
): Promise<void> {
  throwIfAborted(signal);
  if (signal === undefined) return work;
  try {
    await unlessAborted(work, signal);
    throwIfAborted(signal);
  } finally {
    if (signal.aborted) {
      void stop().catch(() => {});
      // WebLLM may finish a load that was aborted; what it has by then is to go too.
      void work
        .catch(() => {})
        .then(stop)
        .catch(() => {});
    }
  }
}

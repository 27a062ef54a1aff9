import { TempoError } from '../../scheduler';
import type { LoadOptions, StepEngine } from '../step-engine';
import { unlessAborted } from '../within';
import { abortable, aborted, letGo, throwIfAborted, UNLOAD_WITHIN_MS } from './abortable';
import type { AppConfig, ChatOptions } from './app-config';
import { batchedEngine, batchingObstacle } from './batched-load';
import { download } from './download';
import { watchGpu } from './gpu-watch';
import { readInternals, runtimeDevice } from './internals';
import { DeviceOverfull } from './kv-allocation';
import type { StartGrammars } from './lazy-grammars';
import { loadError } from './load-errors';
import { ReportReader } from './load-progress';
import { LogitTap } from './serial-engine';
import { serialEngine } from './serial-load';
import { importWebLlm, kindOf, modelRecord, usableGpu, type WebLlmModule } from './webllm-module';

export interface WebLlmOptions extends LoadOptions {
  /** A model id of `appConfig`'s list. */
  model: string;
  /** Default: WebLLM's prebuilt list. */
  appConfig?: AppConfig;
  /** What is to be other than the model's configuration says. */
  chatOptions?: ChatOptions;
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
  /** Starts a thread for grammars. Default: they are this thread's own work. */
  startGrammars?: StartGrammars;
  /** WebLLM itself. Default: the package's, loaded now. */
  webllm?: WebLlmModule;
  /** Default: `navigator.gpu`. */
  gpu?: GPU;
}

/** Loads after one that lost its device for want of memory. The weights come from the cache then. */
const MAX_RETRIES = 2;

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
  const { model, signal, chatOptions, onProgress } = options;
  throwIfAborted(signal);
  const webllm = options.webllm ?? (await importWebLlm());
  const appConfig = options.appConfig ?? webllm.prebuiltAppConfig;
  const record = modelRecord(appConfig, model);
  if (kindOf(record) === 'embedding') {
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
      initProgressCallback: (report) => onProgress?.(reports.read(report)),
      // For serial serving; batched serving does not come by it.
      logitProcessorRegistry: new Map([[model, tap]]),
    });
  let engine = create();
  const reload = (options?: ChatOptions) =>
    abortable(signal, () => engine.reload(model, { ...chatOptions, ...options }), unload);
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

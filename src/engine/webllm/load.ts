import { TempoError } from '../../scheduler';
import type { StepEngine } from '../step-engine';
import { unlessAborted } from '../within';
import { abortable, aborted, letGo, throwIfAborted, UNLOAD_WITHIN_MS } from './abortable';
import type { ChatOptions } from './app-config';
import { batchedEngine, batchingObstacle } from './batched-load';
import { download } from './download';
import { watchGpu } from './gpu-watch';
import { readInternals, runtimeDevice } from './internals';
import { DeviceOverfull } from './kv-allocation';
import { loadError } from './load-errors';
import { ReportReader } from './load-progress';
import { LogitTap } from './serial-engine';
import { serialEngine } from './serial-load';
import { importWebLlm, kindOf, modelRecord, usableGpu } from './webllm-module';
import type { WebLlmOptions } from './webllm-options';

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

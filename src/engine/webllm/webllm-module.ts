import { TempoError } from '../../scheduler';
import type { AppConfig, ChatOptions, ModelRecord } from './app-config';
import { loadError } from './load-errors';
import type { WebLlmReport } from './load-progress';
import type { ModelInfo } from './model-types';
import type { LogitTap, SerialApi } from './serial-engine';

/** The part of WebLLM's public API that loading uses. */
export interface WebLlmModule {
  readonly MLCEngine: new (config: {
    appConfig: AppConfig;
    initProgressCallback: (report: WebLlmReport) => void;
    logitProcessorRegistry?: Map<string, LogitTap>;
  }) => MlcEngine;
  readonly prebuiltAppConfig: AppConfig;
}

/** `MLCEngine`. */
export interface MlcEngine extends SerialApi {
  reload(modelId: string, options?: ChatOptions): Promise<void>;
  unload(): Promise<void>;
  /** `embeddings.create`, for texts that are tokens already. */
  embedding(request: { input: number[][]; model: string }): Promise<{
    data: readonly { embedding: readonly number[] }[];
  }>;
}

/** `ModelType` of WebLLM; 0 where a record has none. */
const KINDS: Partial<Record<number, ModelInfo['kind']>> = { 1: 'embedding', 2: 'vision' };

/** What a model is for. */
export function kindOf({ model_type: type = 0 }: ModelRecord): ModelInfo['kind'] {
  return KINDS[type] ?? 'chat';
}

/** WebLLM itself, which is megabytes. Throws `network` where it cannot be had. */
export async function importWebLlm(): Promise<WebLlmModule> {
  try {
    return (await import('@mlc-ai/web-llm')) as unknown as WebLlmModule;
  } catch (error) {
    throw new TempoError('network', 'WebLLM itself could not be loaded. Check the connection.', {
      cause: error,
    });
  }
}

/**
 * The GPU features that a model needs. WebLLM's list leaves `shader-f16` out of most models that compute
 * with 16-bit floats, which are known by their names (`q4f16_1`).
 */
export function requiredFeatures(record: ModelRecord): string[] {
  const said = record.required_features ?? [];
  const f16 = /q\d+f16/.test(`${record.model_id} ${record.model_lib}`);
  return [...new Set(f16 ? [...said, 'shader-f16'] : said)];
}

/** `given`, or WebLLM's prebuilt list. */
export async function appConfigOr(given: AppConfig | undefined): Promise<AppConfig> {
  return given ?? (await importWebLlm()).prebuiltAppConfig;
}

/** The entry of a model; throws `unknown_model` where the list has none. */
export function modelRecord(
  { model_list: list }: AppConfig,
  model: string,
  param = 'model',
): ModelRecord {
  const record = list.find(({ model_id }) => model_id === model);
  if (record !== undefined) return record;
  throw new TempoError(
    'unknown_model',
    `There is no model "${model}" in the list (WebLLM's, or that of appConfig). tempo.models.list() tells which there are.`,
    { param },
  );
}

/** Throws unless the list has all of them, and `embeddingModels` are such. */
export async function checkWebLlmModels(
  model: string,
  embeddingModels: readonly string[],
  given?: AppConfig,
): Promise<void> {
  const appConfig = await appConfigOr(given);
  modelRecord(appConfig, model);
  embeddingModels.forEach((id, i) => {
    const param = `embeddingModels[${i}]`;
    const record = modelRecord(appConfig, id, param);
    if (kindOf(record) !== 'embedding') throw notForEmbeddings(record, param);
  });
}

/** Whether the model turns texts into vectors, and answers no chat. */
export async function isEmbeddingModel(model: string, given?: AppConfig): Promise<boolean> {
  return kindOf(modelRecord(await appConfigOr(given), model)) === 'embedding';
}

/** What a model that is no embedding model is refused with where one is needed. */
export function notForEmbeddings(record: ModelRecord, param: string): TempoError {
  const sentence = `"${record.model_id}" is no embedding model but one of kind ${kindOf(record)}.`;
  return new TempoError('unsupported', sentence, { param });
}

/** Looks at the GPU before a gigabyte is downloaded for it. */
export async function usableGpu(given: GPU | undefined, record: ModelRecord): Promise<GPU> {
  const gpu = given ?? (globalThis.navigator as Partial<Navigator> | undefined)?.gpu;
  if (gpu === undefined) throw loadError(new Error('WebGPU is not available.'));
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw loadError(new Error('WebGPU is not available: there is no adapter.'));
  for (const feature of requiredFeatures(record)) {
    if (!adapter.features.has(feature)) {
      throw loadError(new Error(`FeatureSupport: the GPU has no ${feature}.`));
    }
  }
  return gpu;
}

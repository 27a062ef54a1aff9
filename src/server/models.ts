import { part } from './part';
/** Models and what is kept of them: WebLLM's affair, behind a check of what is asked. */
import { readAppConfig, readModelId, readModelPart } from './validate/webllm';

const webllm = () => part(() => import('../engine/webllm'));

export const list = async (appConfig: unknown) =>
  (await webllm()).listModels(readAppConfig(appConfig));

export const stored = async (id: unknown, appConfig: unknown) =>
  (await webllm()).storedModels(id === undefined ? id : readModelId(id), readAppConfig(appConfig));

export const size = async (id: unknown, appConfig: unknown) =>
  (await webllm()).modelSize(readModelId(id), readAppConfig(appConfig));

export const estimate = async (id: unknown, appConfig: unknown) =>
  (await webllm()).estimateModel(readModelId(id), readAppConfig(appConfig));

export const remove = async (id: unknown, appConfig: unknown, part: unknown) =>
  (await webllm()).deleteModel(readModelId(id), readAppConfig(appConfig), readModelPart(part));

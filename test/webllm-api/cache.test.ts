import * as webllm from '@mlc-ai/web-llm';
import { describe, expect, it } from 'vitest';
import {
  deleteChatConfigInCache,
  deleteModelAllInfoInCache,
  deleteModelInCache,
  deleteModelWasmInCache,
  functionCallingModelIds,
  hasModelInCache,
  ModelType,
  modelLibURLPrefix,
  modelVersion,
  prebuiltAppConfig,
} from '../../src/webllm-api';
import { CHAT, engineOf, thrown } from './setup';

const QUESTIONS = {
  hasModelInCache,
  deleteModelAllInfoInCache,
  deleteModelInCache,
  deleteChatConfigInCache,
  deleteModelWasmInCache,
};

// What is found and deleted is tested in a browser (test/apps/webllm): Node has no caches.
describe('what is kept of models', () => {
  it.each(Object.entries(QUESTIONS))('%s knows the models of the list alone', async (_, ask) => {
    expect(await thrown(ask('no-such-model'))).toMatchObject({
      name: 'ModelNotFoundError',
      code: 'unknown_model',
    });
    const none = { model_list: [] };
    expect(await thrown(ask(CHAT, none))).toMatchObject({ name: 'ModelNotFoundError' });
  });

  it('is asked of a running engine where no worker can be started', async () => {
    const engine = await engineOf(CHAT);
    expect(await hasModelInCache(CHAT)).toBe(false);
    await deleteModelAllInfoInCache(CHAT);
    await deleteModelInCache(CHAT);
    await deleteChatConfigInCache(CHAT);
    await deleteModelWasmInCache(CHAT);
    await engine.unload();
  });

  it('needs a worker where there is none', async () => {
    expect(await thrown(hasModelInCache('Qwen3-0.6B-q4f16_1-MLC'))).toMatchObject({
      code: 'unsupported',
    });
  });
});

describe('the prebuilt list', () => {
  it('is WebLLM’s', () => {
    expect(prebuiltAppConfig).toEqual(webllm.prebuiltAppConfig);
    expect(modelVersion).toBe(webllm.modelVersion);
    expect(modelLibURLPrefix).toBe(webllm.modelLibURLPrefix);
    expect(functionCallingModelIds).toEqual(webllm.functionCallingModelIds);
    expect({ ...ModelType }).toEqual({ ...webllm.ModelType });
  });
});

import { describe, expect, it } from 'vitest';
import { TempoError } from '../../scheduler';
import type { LoadConfig } from '../server-types';
import { Harness } from '../testing/harness';
import { readLoadConfig } from './load-config';

const MINE = {
  model: 'https://models.example/mine/resolve/main/',
  model_id: 'mine',
  model_lib: 'https://models.example/mine.wasm',
};

const settingsOf = (settings: object) =>
  readLoadConfig({ engine: 'webllm', model: 'mine', policy: 'tempo', ...settings });

function failureOf(settings: object): unknown {
  try {
    settingsOf(settings);
  } catch (error) {
    return error;
  }
  return undefined;
}

const list = (entry: object) => ({ appConfig: { model_list: [{ ...MINE, ...entry }] } });

describe('What is handed on to WebLLM', () => {
  const BAD: [string, object, string][] = [
    ['an appConfig that is none', { appConfig: 'mine' }, 'appConfig'],
    ['no list', { appConfig: {} }, 'appConfig.model_list'],
    ['a list that is none', { appConfig: { model_list: MINE } }, 'appConfig.model_list'],
    ['an entry that is none', { appConfig: { model_list: [null] } }, 'appConfig.model_list[0]'],
    [
      'an unknown field',
      { appConfig: { model_list: [], cache_backend: 'opfs' } },
      'appConfig.cache_backend',
    ],
    [
      'an unknown cache',
      { appConfig: { model_list: [], cacheBackend: 'disk' } },
      'appConfig.cacheBackend',
    ],
    [
      'two models of one name',
      { appConfig: { model_list: [MINE, MINE] } },
      'appConfig.model_list[1].model_id',
    ],
    ['no address', list({ model: undefined }), 'appConfig.model_list[0].model'],
    ['half an address', list({ model: '/models/mine/' }), 'appConfig.model_list[0].model'],
    ['no name', list({ model_id: '' }), 'appConfig.model_list[0].model_id'],
    ['no library', list({ model_lib: null }), 'appConfig.model_list[0].model_lib'],
    ['an unknown kind', list({ model_type: 'embedding' }), 'appConfig.model_list[0].model_type'],
    [
      'features that are none',
      list({ required_features: 'f16' }),
      'appConfig.model_list[0].required_features',
    ],
    ['no memory', list({ vram_required_MB: -1 }), 'appConfig.model_list[0].vram_required_MB'],
    [
      'overrides out of range',
      list({ overrides: { context_window_size: 0 } }),
      'appConfig.model_list[0].overrides.context_window_size',
    ],
    ['chat options that are none', { chatOptions: [] }, 'chatOptions'],
    ['an unknown option', { chatOptions: { contextWindow: 4096 } }, 'chatOptions.contextWindow'],
    ['an option out of range', { chatOptions: { temperature: 9 } }, 'chatOptions.temperature'],
    [
      'half a token',
      { chatOptions: { context_window_size: 0.5 } },
      'chatOptions.context_window_size',
    ],
    ['no template', { chatOptions: { conv_template: 'chatml' } }, 'chatOptions.conv_template'],
    ['models that are no list', { embeddingModels: 'mine' }, 'embeddingModels'],
    ['a model without a name', { embeddingModels: ['a', ''] }, 'embeddingModels[1]'],
    ['a model twice', { embeddingModels: ['a', 'b', 'a'] }, 'embeddingModels[2]'],
  ];

  it.each(BAD)('is refused with the field that is wrong: %s', (_, settings, param) => {
    const error = failureOf(settings);
    expect(error).toBeInstanceOf(TempoError);
    expect(error).toMatchObject({ code: 'invalid_request', param });
    expect((error as TempoError).message).toContain(param);
  });

  it('says what an older WebLLM’s field is called now', () => {
    const error = failureOf({ appConfig: { model_list: [], useIndexedDBCache: true } });
    expect((error as TempoError).message).toContain("cacheBackend: 'indexeddb'");
  });

  it('holds nothing that is null or undefined, at any depth that is ours', () => {
    const { appConfig, chatOptions, embeddingModels } = settingsOf({
      appConfig: {
        model_list: [{ ...MINE, overrides: { temperature: null, top_p: 0.5 }, model_type: null }],
        cacheBackend: null,
      },
      chatOptions: { context_window_size: undefined, temperature: null },
      embeddingModels: null,
    });
    expect(appConfig).toEqual({ model_list: [{ ...MINE, overrides: { top_p: 0.5 } }] });
    expect(chatOptions).toEqual({});
    expect(embeddingModels).toBeUndefined();
  });

  it('keeps what else is in an entry of a list, which has an owner of its own', () => {
    const { appConfig } = settingsOf(list({ nickname: 'Fritz' }));
    expect(appConfig?.model_list[0]).toMatchObject({ nickname: 'Fritz' });
  });

  it('is checked before anything that runs is given up for it', async () => {
    const harness = await new Harness().loaded();
    const wrong: Partial<LoadConfig> = { embeddingModels: ['a', 'a'] };
    expect(await harness.load(wrong)).toMatchObject({
      error: { code: 'invalid_request', param: 'embeddingModels[1]' },
    });
    expect(harness.states.at(-1)).toMatchObject({ phase: 'ready' });
  });
});

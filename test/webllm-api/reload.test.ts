import { describe, expect, it, vi } from 'vitest';
import { createTempo } from '../../src/client';
import {
  CreateMLCEngine,
  type InitProgressReport,
  MLCEngine,
  prebuiltAppConfig,
} from '../../src/webllm-api';
import { TempoServer } from '../../src/worker/server';
import { CHAT, EMBED, EMBED_OTHER, engineOf, simulated, thrown, user } from './setup';

const hello = { messages: [user('Hello')], max_tokens: 3, ignore_eos: true };
const OTHER_CHAT = 'Qwen3-0.6B-q4f16_1-MLC';

describe('an engine’s config', () => {
  it('has null for what is not set: WebLLM’s own list, no callback', async () => {
    const engine = await engineOf(CHAT, Object({ appConfig: null, initProgressCallback: null }));
    engine.setAppConfig(null as never);
    expect(engine.appConfig).toBe(prebuiltAppConfig);
    await engine.reload(OTHER_CHAT);
  });

  it.each([
    ['appConfig.model_list', { appConfig: {} }],
    ['initProgressCallback', { initProgressCallback: 'show' }],
  ])('is refused at once, by the name %s', async (param, config) => {
    const refusal = { name: 'TypeError', code: 'invalid_request', param };
    const made = async () => new MLCEngine(Object({ ...simulated(), ...config }));
    expect(await thrown(made())).toMatchObject(refusal);
    const engine = new MLCEngine(simulated());
    const set = async () => {
      if ('appConfig' in config) engine.setAppConfig(Object(config.appConfig));
      else engine.setInitProgressCallback(Object(config.initProgressCallback));
    };
    expect(await thrown(set())).toMatchObject(refusal);
  });
});

describe('before anything is loaded', () => {
  it('calls throw ModelNotLoadedError', async () => {
    const engine = new MLCEngine(simulated());
    const calls = [
      () => engine.chatCompletion(hello),
      () => engine.completion({ prompt: 'x' }),
      () => engine.embedding({ input: 'x' }),
      () => engine.getMessage(),
      () => engine.runtimeStatsText(),
      () => engine.forwardTokensAndSample([1], true),
    ];
    for (const call of calls) {
      expect(await thrown(call())).toMatchObject({
        name: 'ModelNotLoadedError',
        code: 'not_loaded',
      });
    }
  });

  it('there is nothing to reset, interrupt or unload, and no harm in it', async () => {
    const engine = new MLCEngine(simulated());
    await engine.resetChat();
    await engine.interruptGenerate();
    await engine.unload();
  });
});

describe('reload', () => {
  it('is waited for by calls that come meanwhile', async () => {
    const engine = new MLCEngine(simulated());
    const loading = engine.reload(CHAT);
    expect((await engine.chatCompletion(hello)).model).toBe(CHAT);
    await loading;
  });

  it('reports in WebLLM’s words, and ends at 1', async () => {
    const reports: InitProgressReport[] = [];
    const engine = new MLCEngine({
      ...simulated(),
      initProgressCallback: (report) => reports.push(report),
    });
    expect(engine.getInitProgressCallback()).toBeTypeOf('function');
    await engine.reload(CHAT);
    expect(reports[0]).toMatchObject({ progress: 0, text: 'Start to fetch params' });
    expect(reports.at(-1)).toMatchObject({
      progress: 1,
      text: expect.stringMatching(/^Finish loading on /),
      timeElapsed: expect.any(Number),
    });
    const before = reports.length;
    engine.setInitProgressCallback(undefined);
    await engine.reload(CHAT);
    expect(reports).toHaveLength(before);
  });

  it('changes the model', async () => {
    const engine = await engineOf(CHAT);
    await engine.reload(OTHER_CHAT);
    expect((await engine.chatCompletion(hello)).model).toBe(OTHER_CHAT);
    expect(await thrown(engine.chatCompletion({ ...hello, model: CHAT }))).toMatchObject({
      name: 'SpecifiedModelNotFoundError',
      param: 'model',
    });
  });

  it('during a generation ends it with an error, and serves again', async () => {
    const engine = await engineOf(CHAT);
    const reply = thrown(engine.chatCompletion({ ...hello, max_tokens: 500 }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await engine.reload(OTHER_CHAT);
    expect(await reply).toMatchObject({ code: 'disposed' });
    expect((await engine.chatCompletion(hello)).model).toBe(OTHER_CHAT);
  });

  it('that another overtakes resolves quietly; the other counts', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const engine = new MLCEngine(simulated());
    await Promise.all([engine.reload(CHAT), engine.reload(EMBED), engine.reload(OTHER_CHAT)]);
    expect((await engine.chatCompletion(hello)).model).toBe(OTHER_CHAT);
    expect(console.warn).toHaveBeenCalledWith('Reload() is aborted.');
    vi.restoreAllMocks();
  });

  it('that unload overtakes resolves quietly, with nothing loaded', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const engine = new MLCEngine(simulated());
    const loading = engine.reload(CHAT);
    await engine.unload();
    await loading;
    expect(await thrown(engine.chatCompletion(hello))).toMatchObject({
      name: 'ModelNotLoadedError',
    });
    await engine.reload(CHAT);
    expect((await engine.chatCompletion(hello)).model).toBe(CHAT);
    vi.restoreAllMocks();
  });

  it.each<[string, string | string[], object | object[] | undefined, string, string]>([
    [
      'a model that is not in the list',
      'no-such-model',
      undefined,
      'ModelNotFoundError',
      'modelId',
    ],
    [
      'options for another number of models',
      [CHAT],
      [{}, {}],
      'ReloadArgumentSizeUnmatchedError',
      'chatOpts',
    ],
    ['a model twice', [CHAT, CHAT], undefined, 'ReloadModelIdNotUniqueError', 'modelId'],
    ['two chat models', [CHAT, OTHER_CHAT], undefined, 'TooManyChatModelsError', 'modelId'],
    ['no model', [], undefined, 'TypeError', 'modelId'],
  ])('refuses %s at once, and what was loaded goes on', async (_, models, options, name, param) => {
    const engine = new MLCEngine(simulated({ engine: 'webllm' }));
    expect(await thrown(engine.reload(models, options))).toMatchObject({ name, param });
    const loaded = await engineOf(CHAT);
    const refused = name === 'ModelNotFoundError' ? [] : models;
    await expect(loaded.reload(refused, options)).rejects.toThrow();
    expect((await loaded.chatCompletion(hello)).model).toBe(CHAT);
  });

  it('throws ours by WebLLM’s name where there is no GPU', async () => {
    const create = CreateMLCEngine(CHAT, simulated({ engine: 'webllm' }));
    expect(await thrown(create)).toMatchObject({
      name: 'WebGPUNotAvailableError',
      code: 'webgpu_unavailable',
    });
  });

  it('takes lists with notes of the page’s own, and options that nothing heeds', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const appConfig = { ...prebuiltAppConfig, use_web_worker: true };
    const engine = new MLCEngine({ ...simulated(), appConfig });
    await engine.reload(CHAT, Object.assign({ temperature: 0.5 }, { max_gen_len: 9 }));
    expect((await engine.chatCompletion(hello)).model).toBe(CHAT);
    vi.restoreAllMocks();
  });
});

describe('several models', () => {
  it('are a chat model and embedding models; each call says which it means', async () => {
    const engine = await engineOf([EMBED, CHAT, EMBED_OTHER]);
    const reply = await engine.chatCompletion({ ...hello, model: CHAT });
    expect(reply.model).toBe(CHAT);
    const { data, model } = await engine.embedding({ input: ['a', 'b'], model: EMBED_OTHER });
    expect(model).toBe(EMBED_OTHER);
    expect(data).toHaveLength(2);
    expect(await engine.getMessage(CHAT)).toBe(reply.choices[0].message.content);
  });

  it('make a call unclear that names none', async () => {
    const engine = await engineOf([EMBED, CHAT]);
    for (const call of [
      engine.chatCompletion(hello),
      engine.embedding({ input: 'x' }),
      engine.getMessage(),
    ]) {
      expect(await thrown(call)).toMatchObject({ name: 'UnclearModelToUseError', param: 'model' });
    }
  });

  it('are not taken for one another', async () => {
    const engine = await engineOf([EMBED, CHAT]);
    expect(await thrown(engine.chatCompletion({ ...hello, model: EMBED }))).toMatchObject({
      name: 'IncorrectPipelineLoadedError',
    });
    expect(await thrown(engine.embedding({ input: 'x', model: CHAT }))).toMatchObject({
      name: 'EmbeddingUnsupportedModelError',
    });
  });
});

describe('a Tempo of the page’s', () => {
  it('is shared by engines: one load, one queue', async () => {
    const client = createTempo({ engine: 'simulated', host: new TempoServer() });
    await client.ready;
    const phases: string[] = [];
    client.onState(({ phase }) => phases.push(phase));
    const [one, two] = await Promise.all(
      ['chat', 'notes'].map((app) =>
        CreateMLCEngine(CHAT, { tempo: { client, app, engine: 'simulated' } }),
      ),
    );
    expect(phases).toEqual(['ready']);
    expect(one.tempo).toBe(client);
    await Promise.all([one.chatCompletion(hello), two.chatCompletion(hello)]);
    await client.dispose();
  });

  it('keeps the engine’s app and objective', async () => {
    const slo = { class: 'latency' as const, ttft: 900, tbt: 90 };
    const engine = await engineOf(CHAT, simulated({ app: 'notes', slo }));
    await engine.chatCompletion(hello);
    expect(engine.tempo?.app('notes').slo).toEqual(slo);
    const reply = await engine.chatCompletion({ ...hello, slo: { class: 'best-effort' } });
    expect(reply.usage?.extra.slo_met).toBe(true);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prebuiltAppConfig } from '@mlc-ai/web-llm';
import { afterEach, describe, expect, it } from 'vitest';
import { type AppConfig, createTempo, type Tempo, TempoError } from '../src/client';
import { TempoServer } from '../src/server';
import { Harness } from '../src/server/testing/harness';
import { serve } from '../src/worker/serve';

const tempos: Tempo[] = [];
afterEach(async () => {
  await Promise.all(tempos.splice(0).map((tempo) => tempo.dispose()));
});

function start(appConfig?: AppConfig): Tempo {
  const tempo = createTempo({ engine: 'simulated', host: new TempoServer(), appConfig });
  tempos.push(tempo);
  return tempo;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

const MINE: AppConfig = {
  model_list: [
    {
      model: 'https://models.example/mine',
      model_id: 'mine',
      model_lib: 'https://models.example/mine.wasm',
      vram_required_MB: 1.5,
      low_resource_required: true,
      required_features: ['shader-f16'],
      overrides: { context_window_size: -1, sliding_window_size: 512 },
    },
    {
      model: 'https://models.example/mine',
      model_id: 'mine-sees',
      model_lib: '/libraries/mine.wasm',
      model_type: 2,
    },
  ],
};

// What the browser keeps is tested in one (e2e/models.spec.ts); Node has no caches, which is no reason to fail.
describe('tempo.models', () => {
  it('lists every model of WebLLM’s list, from that list', async () => {
    const list = await start().models.list();
    const { model_list: records } = prebuiltAppConfig;
    expect(list.map(({ id }) => id)).toEqual(records.map(({ model_id }) => model_id));
    const llama = list.find(({ id }) => id === 'Llama-3.2-1B-Instruct-q4f16_1-MLC');
    expect(llama).toEqual({
      id: 'Llama-3.2-1B-Instruct-q4f16_1-MLC',
      kind: 'chat',
      images: false,
      contextWindow: 4096,
      requiredFeatures: ['shader-f16'],
      vramBytes: Math.round(879.04 * 2 ** 20),
      lowResource: true,
      cached: 'none',
      url: 'https://huggingface.co/mlc-ai/Llama-3.2-1B-Instruct-q4f16_1-MLC/resolve/main/',
      libraryUrl: expect.stringMatching(/^https:\/\/raw\.githubusercontent\.com\/.*\.wasm$/),
    });
    const f16 = list.filter(({ id }) => id.includes('f16'));
    expect(f16.length).toBeGreaterThan(50);
    for (const { requiredFeatures } of f16) expect(requiredFeatures).toEqual(['shader-f16']);
    const kinds = (kind: string) => list.filter((model) => model.kind === kind).length;
    expect(kinds('embedding')).toBe(records.filter((r) => r.model_type === 1).length);
    expect(kinds('vision')).toBe(records.filter((r) => r.model_type === 2).length);
    expect(kinds('embedding')).toBeGreaterThan(0);
    expect(kinds('vision')).toBeGreaterThan(0);
    const seeing = (images: boolean | undefined) =>
      list.filter((model) => model.images === images).map(({ id }) => id.replace(/-q.*/, ''));
    expect(new Set(seeing(true))).toEqual(new Set(['Phi-3.5-vision-instruct']));
    expect(new Set(seeing(undefined))).toEqual(new Set(['gemma-4-E2B-it']));
  });

  it('comes from the hosts that the guide names, and from no others', async () => {
    const guide = readFileSync(join(import.meta.dirname, '../docs/guide/models.md'), 'utf8');
    const list = await start().models.list();
    const hosts = new Set(
      list.flatMap(({ url, libraryUrl }) => [url, libraryUrl]).map((url) => new URL(url).host),
    );
    expect([...hosts].sort()).toEqual(['huggingface.co', 'raw.githubusercontent.com']);
    for (const host of hosts) expect(guide).toContain(`| \`${host}\``);
  });

  it('lists those of appConfig instead, where there is one', async () => {
    const list = await start(MINE).models.list();
    expect(list).toMatchObject([
      {
        id: 'mine',
        kind: 'chat',
        contextWindow: 512,
        requiredFeatures: ['shader-f16'],
        vramBytes: 1.5 * 2 ** 20,
        lowResource: true,
        url: 'https://models.example/mine/resolve/main/',
      },
      { id: 'mine-sees', kind: 'vision', images: true, lowResource: false },
    ]);
    expect(list[1].contextWindow).toBeUndefined();
  });

  it('has nothing kept where there is nothing to keep it in', async () => {
    const { models } = start(MINE);
    expect(await models.cached()).toEqual([]);
    expect(await models.storage('mine')).toEqual({
      id: 'mine',
      cached: 'none',
      bytes: 0,
      shards: { cached: 0 },
      sharedWith: ['mine-sees'],
    });
    expect(await models.delete('mine')).toBe(0);
    expect(await models.persist()).toBe(false);
  });

  it('refuses a model that the list has not, and what is no id', async () => {
    const { models } = start(MINE);
    for (const method of ['storage', 'size', 'estimate', 'delete'] as const) {
      expect(await failure(models[method]('yours'))).toMatchObject({
        code: 'unknown_model',
        param: 'id',
      });
      for (const id of ['', null, undefined, 5]) {
        expect(await failure(models[method](id as string))).toMatchObject({
          code: 'invalid_request',
          param: 'id',
        });
      }
    }
  });

  it('says when a server cannot be reached', async () => {
    const model = 'http://127.0.0.1:9/mine/'; // nobody listens there
    const { models } = start({ model_list: [{ ...MINE.model_list[0], model }] });
    for (const asking of [models.size('mine'), models.estimate('mine')]) {
      const error = await failure(asking);
      expect(error).toBeInstanceOf(TempoError);
      expect(error).toMatchObject({ code: 'network', message: expect.stringContaining(model) });
    }
  });

  it('deletes nothing while something loads', async () => {
    const harness = new Harness({
      onLoad: () => new Promise((resolve) => setTimeout(resolve, 50)),
    });
    const tempo = createTempo({ engine: 'simulated', host: harness.server });
    tempos.push(tempo);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await failure(tempo.models.delete('mine'))).toMatchObject({ code: 'load_in_progress' });
  });

  it('works through a port, and without its object', async () => {
    const { port1, port2 } = new MessageChannel();
    serve(new TempoServer(), port1);
    const tempo = createTempo({ engine: 'simulated', worker: port2, appConfig: MINE });
    tempos.push(tempo);
    const { list, size } = tempo.models;
    expect((await list()).map(({ id }) => id)).toEqual(['mine', 'mine-sees']);
    expect(await failure(size('yours'))).toMatchObject({ code: 'unknown_model' });
  });
});

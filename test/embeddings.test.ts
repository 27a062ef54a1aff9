import { afterEach, describe, expect, it } from 'vitest';
import { createTempo, type EmbeddingParams, type Tempo, TempoError } from '../src/client';
import { STAND_IN_EMBEDDER, STAND_IN_MODEL, StandIn } from '../src/engine/testing/stand-in';
import { loadWebLlmEmbedder, loadWebLlmEngine } from '../src/engine/webllm';
import { TempoServer } from '../src/server';
import { serve } from '../src/worker/serve';

const tempos: Tempo[] = [];
afterEach(async () => {
  await Promise.all(tempos.splice(0).map((tempo) => tempo.dispose()));
});

function kept(tempo: Tempo): Tempo {
  tempos.push(tempo);
  return tempo;
}

/** The client on a server of its own, with made-up embedding models. */
const start = (embeddingModels: string[] = ['little']) =>
  kept(createTempo({ engine: 'simulated', host: new TempoServer(), embeddingModels }));

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);

describe('app.embeddings.create', () => {
  it("gives the OpenAI API's answer, and says that it is made up", async () => {
    const answer = await start()
      .app('search')
      .embeddings.create({ input: ['one', 'two'] });
    expect(answer).toMatchObject({
      object: 'list',
      data: [
        { object: 'embedding', index: 0 },
        { object: 'embedding', index: 1 },
      ],
      model: 'little',
      usage: { prompt_tokens: 2, total_tokens: 2 },
      simulated: true,
    });
    for (const { embedding } of answer.data) {
      expect(Array.isArray(embedding)).toBe(true);
      expect(dot(embedding, embedding)).toBeCloseTo(1, 5);
    }
  });

  it('gives texts with words in common vectors near to one another, the same every time', async () => {
    const input = ['the tide comes in', 'the tide goes out', 'bake it for an hour'];
    const [first, again] = await Promise.all(
      [start(), start()].map((tempo) => tempo.app('search').embeddings.create({ input })),
    );
    expect(again.data).toEqual(first.data);
    const [tide, tideToo, bread] = first.data.map(({ embedding }) => embedding);
    expect(dot(tide, tideToo)).toBeGreaterThan(dot(tide, bread) + 0.2);
  });

  it('gives base64 of the same numbers', async () => {
    const { embeddings } = start().app('search');
    const [float, base64] = [
      await embeddings.create({ input: 'one', encoding_format: 'float' }),
      await embeddings.create({ input: 'one', encoding_format: 'base64' }),
    ];
    const bytes = Buffer.from(base64.data[0].embedding, 'base64');
    const numbers = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
    expect(numbers).toEqual(float.data[0].embedding);
  });

  it('waits for the load, as every call does', async () => {
    const tempo = start();
    const answer = tempo.app('search').embeddings.create({ input: 'one' });
    expect(tempo.state.phase).toBe('loading');
    expect((await answer).data).toHaveLength(1);
  });

  it('works without its object', async () => {
    const { create } = start().app('search').embeddings;
    expect((await create({ input: 'one' })).model).toBe('little');
  });

  it('is no promise', async () => {
    const { embeddings } = start().app('search');
    expect(await embeddings).toBe(embeddings);
  });

  it('takes the objective of its app, or one of its own', async () => {
    const tempo = start();
    const search = tempo.app('search', { slo: { class: 'latency', ttft: 500, tbt: 100 } });
    expect(await failure(search.embeddings.create({ input: 'one' }))).toBeUndefined();
    const slo = { class: 'deadline', ttlt: -1 } as const;
    expect(await failure(search.embeddings.create({ input: 'one', slo }))).toMatchObject({
      code: 'invalid_slo',
      param: 'slo.ttlt',
    });
  });

  it('throws typed errors for what no request is', async () => {
    const { embeddings } = start().app('search');
    for (const params of [null, undefined, 'one']) {
      expect(await failure(embeddings.create(params as unknown as EmbeddingParams))).toMatchObject({
        code: 'invalid_request',
        param: 'input',
      });
    }
    const input = (() => 'one') as unknown as string;
    expect(await failure(embeddings.create({ input }))).toMatchObject({
      code: 'invalid_request',
      param: 'input',
    });
  });

  it('ends with its signal: before, while it waits, and as a timeout', async () => {
    const tempo = start();
    const { embeddings } = tempo.app('search');
    const input = Array.from({ length: 2000 }, (_, i) => `text ${i}`);
    const before = failure(embeddings.create({ input }, { signal: AbortSignal.abort() }));
    expect(await before).toMatchObject({ code: 'aborted', name: 'AbortError' });

    const controller = new AbortController();
    const during = failure(embeddings.create({ input }, { signal: controller.signal }));
    await tempo.ready;
    setTimeout(() => controller.abort(), 5);
    expect(await during).toMatchObject({ code: 'aborted' });

    const late = failure(embeddings.create({ input }, { signal: AbortSignal.timeout(5) }));
    expect(await late).toMatchObject({ code: 'timeout', name: 'TimeoutError' });
    expect((await embeddings.create({ input: 'one' })).data).toHaveLength(1);
  });

  it('ends with its Tempo', async () => {
    const tempo = start();
    await tempo.ready;
    const input = Array.from({ length: 2000 }, (_, i) => `text ${i}`);
    const open = failure(tempo.app('search').embeddings.create({ input }));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await tempo.dispose();
    expect(await open).toMatchObject({ code: 'disposed' });
    expect(await failure(tempo.app('search').embeddings.create({ input }))).toMatchObject({
      code: 'disposed',
    });
  });

  it('says what is loaded, where no model for it is', async () => {
    const error = await failure(start([]).app('search').embeddings.create({ input: 'one' }));
    expect(error).toBeInstanceOf(TempoError);
    expect(error).toMatchObject({ code: 'unsupported', param: 'model' });
    expect((error as TempoError).message).toMatch(/laptop-gpu.*embeddingModels/);
  });

  it('serves several pages on one server, and one that leaves takes nothing from the others', async () => {
    const server = new TempoServer();
    const page = () => {
      const { port1, port2 } = new MessageChannel();
      serve(server, port1);
      return kept(createTempo({ engine: 'simulated', worker: port2, embeddingModels: ['little'] }));
    };
    const [first, second] = [page(), page()];
    await Promise.all([first.ready, second.ready]);
    const input = Array.from({ length: 400 }, (_, i) => `text ${i}`);
    const leaving = failure(first.app('search').embeddings.create({ input }));
    const staying = second.app('search').embeddings.create({ input });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await first.dispose();
    expect(await leaving).toMatchObject({ code: 'disposed' });
    expect((await staying).data).toHaveLength(400);
  });
});

describe('on WebLLM (a stand-in)', () => {
  function onStandIn(): { server: TempoServer; world: StandIn } {
    const world = new StandIn();
    const { webllm, gpu } = world;
    const server = new TempoServer({
      engines: {
        webllm: {
          check: async () => {},
          load: ({ model, chatOptions }, options) =>
            loadWebLlmEngine({
              ...options,
              model,
              chatOptions,
              webllm,
              gpu,
              kvBudgetBytes: 1 << 16,
            }),
          embeds: async ({ model }) => model === STAND_IN_EMBEDDER,
          loadEmbedder: (model, _config, options) =>
            loadWebLlmEmbedder({ ...options, model, webllm, gpu }),
        },
      },
    });
    return { server, world };
  }

  it('an embedding model beside a chat model serves both', async () => {
    const { server, world } = onStandIn();
    const embeddingModels = [STAND_IN_EMBEDDER];
    const tempo = kept(createTempo({ model: STAND_IN_MODEL, embeddingModels, host: server }));
    const app = tempo.app('search');
    const [answer, { data, simulated, usage }] = await Promise.all([
      app.chat.completions.create({
        messages: [{ role: 'user', content: 'Hello' }],
        max_tokens: 30,
        ignore_eos: true,
      }),
      app.embeddings.create({ input: ['a', 'b', 'c', 'd', 'e', 'f'] }),
    ]);
    expect(answer.usage.completion_tokens).toBe(30);
    expect(data).toHaveLength(6);
    expect(simulated).toBe(false);
    expect(usage.prompt_tokens).toBe(18); // each between [CLS] and [SEP]
    expect(world.embeddings.flat()).toHaveLength(6);
    expect(tempo.state).toMatchObject({ engine: { embeddingModels, mode: 'batched' } });
  });

  it('a text has the vector that it has alone, whatever others are asked for with it', async () => {
    const { server, world } = onStandIn();
    const tempo = kept(createTempo({ model: STAND_IN_EMBEDDER, host: server }));
    const { embeddings } = tempo.app('search');
    const input = Array.from({ length: 30 }, (_, i) => 'x'.repeat(1 + (i % 7)) + i);
    const { data } = await embeddings.create({ input });
    expect(Math.max(...world.embeddings.map(({ length }) => length))).toBeGreaterThan(1);
    for (const [i, text] of input.entries()) {
      expect((await embeddings.create({ input: text })).data[0].embedding).toEqual(
        data[i].embedding,
      );
    }
  });

  it('an embedding model alone serves embeddings, and says so to a chat', async () => {
    const { server, world } = onStandIn();
    const tempo = kept(createTempo({ model: STAND_IN_EMBEDDER, host: server }));
    const app = tempo.app('search');
    const { data, model } = await app.embeddings.create({ input: ['a', 'b', 'c', 'd', 'e'] });
    expect(model).toBe(STAND_IN_EMBEDDER);
    expect(data).toHaveLength(5);
    expect(Math.max(...world.embeddings.map(({ length }) => length))).toBeLessThanOrEqual(4);
    expect(tempo.state).toMatchObject({
      phase: 'ready',
      engine: { model: STAND_IN_EMBEDDER, embeddingModels: [STAND_IN_EMBEDDER] },
    });
    const chat = app.chat.completions.create({ messages: [{ role: 'user', content: 'Hello' }] });
    expect(await failure(chat)).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(STAND_IN_EMBEDDER),
    });
    await tempo.setPolicy('fcfs');
    await tempo.unload();
    expect(tempo.state.phase).toBe('idle');
    expect(await failure(app.embeddings.create({ input: 'a' }))).toMatchObject({
      code: 'not_loaded',
    });
  });

  it('comes back when its device is lost', async () => {
    const { server, world } = onStandIn();
    const tempo = kept(createTempo({ model: STAND_IN_EMBEDDER, host: server }));
    const { embeddings } = tempo.app('search');
    const before = await embeddings.create({ input: 'a' });
    world.loseDevice();
    expect((await embeddings.create({ input: 'a' })).data).toEqual(before.data);
  });
});

describe('a load', () => {
  it.each(['simulated', 'webllm'] as const)('heeds its signal on the engine %s', async (engine) => {
    const world = new StandIn({ loadMs: 300 });
    const server = new TempoServer({
      engines: {
        webllm: {
          check: async () => {},
          load: ({ model }, options) =>
            loadWebLlmEngine({ ...options, model, webllm: world.webllm, gpu: world.gpu }),
        },
      },
    });
    const choice =
      engine === 'webllm' ? { engine, model: STAND_IN_MODEL } : { engine, model: 'laptop-gpu' };
    for (const abort of [
      (controller: AbortController) => controller.abort(),
      (controller: AbortController) => void Promise.resolve().then(() => controller.abort()),
    ]) {
      const controller = new AbortController();
      const tempo = kept(createTempo({ ...choice, host: server, signal: controller.signal }));
      abort(controller);
      expect(await failure(tempo.ready)).toMatchObject({ code: 'aborted' });
      expect(tempo.state.phase).toBe('idle');
    }
  });

  it('refuses what cannot cross to a worker, by its name', async () => {
    const onLoad = (() => {}) as unknown as string;
    const model_list = [
      { model: 'https://models.example/m/', model_id: 'm', model_lib: 'm.wasm', onLoad },
    ];
    const tempo = kept(
      createTempo({ model: 'm', host: new TempoServer(), appConfig: { model_list } }),
    );
    expect(await failure(tempo.ready)).toMatchObject({
      code: 'invalid_request',
      param: 'appConfig.model_list[0].onLoad',
    });
  });
});

import { describe, expect, it } from 'vitest';
import { TempoError } from '../scheduler';
import type { EmbeddingParams, EmbeddingResult } from './embedding-types';
import { ENGINES } from './engines';
import type { Outcome } from './host';
import { TempoServer } from './server';
import type { LoadConfig } from './server-types';
import { codeOf, Harness, type HarnessOptions } from './testing/harness';

const MODELS = ['little', 'large'];
const URGENT = { slo: { class: 'latency', ttft: 500, tbt: 100 } } as const;
const WORDS = 'the tide comes in twice a day and goes out again as often';

const texts = (count: number) => Array.from({ length: count }, (_, i) => `${WORDS} ${i}`);
const loaded = (options: HarnessOptions = {}, config: Partial<LoadConfig> = {}) =>
  new Harness(options).loaded({ embeddingModels: MODELS, ...config });

function resultOf(outcome: Outcome<EmbeddingResult>): EmbeddingResult {
  if (!outcome.ok) throw TempoError.fromJSON(outcome.error);
  return outcome.value;
}

function errorOf(outcome: Outcome<EmbeddingResult>) {
  return outcome.ok ? { code: 'fine' } : outcome.error;
}

const lengthOf = (vector: Float32Array) => Math.hypot(...vector);

describe('embeddings', () => {
  it('are vectors of length 1 in the order of the input, each the same as alone', async () => {
    const harness = await loaded();
    const input = texts(30);
    const { vectors, model, simulated } = resultOf(await harness.embed({ input }));
    expect(model).toBe('little');
    expect(simulated).toBe(true);
    for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 5);
    for (const i of [0, 13, 29]) {
      const alone = resultOf(await harness.embed({ input: input[i] }));
      expect(alone.vectors).toEqual([vectors[i]]);
    }
  });

  it('are of texts, of token ids, or of several of either', async () => {
    const harness = await loaded();
    const ids = [...(harness.embedders[0].encode(WORDS) ?? [])];
    const [expected] = resultOf(await harness.embed({ input: WORDS })).vectors;
    for (const input of [ids, [ids], [WORDS]]) {
      const { vectors, usage } = resultOf(await harness.embed({ input }));
      expect(vectors).toEqual([expected]);
      expect(usage).toMatchObject({ prompt_tokens: ids.length, total_tokens: ids.length });
    }
  });

  it('come from the model that is named, and from the first where none is', async () => {
    const harness = await loaded();
    const model = async (model?: string | null) =>
      resultOf(await harness.embed({ input: WORDS, model })).model;
    expect(await model('large')).toBe('large');
    expect(await model()).toBe('little');
    expect(await model(null)).toBe('little');
  });

  it('are cut to `dimensions` and of length 1 all the same', async () => {
    const harness = await loaded();
    const [whole] = resultOf(await harness.embed({ input: WORDS })).vectors;
    const [cut] = resultOf(await harness.embed({ input: WORDS, dimensions: 16 })).vectors;
    expect(cut).toHaveLength(16);
    expect(lengthOf(cut)).toBeCloseTo(1, 5);
    expect(cut[3] / cut[0]).toBeCloseTo(whole[3] / whole[0], 4);
    const more = await harness.embed({ input: WORDS, dimensions: 1000 });
    expect(errorOf(more)).toMatchObject({ code: 'invalid_request', param: 'dimensions' });
  });

  it('are told of in the state, and say how they fared', async () => {
    const harness = await loaded();
    expect(harness.states.at(-1)).toMatchObject({
      phase: 'ready',
      engine: { embeddingModels: MODELS },
    });
    const { usage } = resultOf(await harness.embed({ input: texts(20) }));
    expect(usage.extra.ttlt_ms).toBeGreaterThan(0);
    expect(usage.extra.queued_ms).toBeLessThan(usage.extra.ttlt_ms);
  });
});

describe('beside a stream', () => {
  /** What ran, in order: a step of the chat model, or a forward of so many inputs. */
  async function watched(options: HarnessOptions = {}, config: Partial<LoadConfig> = {}) {
    const order: ('step' | number)[] = [];
    const harness = await loaded(
      {
        ...options,
        mishap: () => order.push('step'),
        onEmbed: (embedder, inputs) => {
          order.push(inputs.length);
          return options.onEmbed?.(embedder, inputs);
        },
      },
      config,
    );
    return { harness, order };
  }

  const busy = { ignore_eos: true, max_tokens: 300 };

  it('those with an objective take turns with its steps, one forward after each', async () => {
    const { harness, order } = await watched();
    const stream = harness.ask(busy, URGENT);
    while (order.length < 10) await new Promise((resolve) => setTimeout(resolve, 1));
    order.length = 0;
    await harness.embed({ input: texts(40) }, URGENT);
    const forwards = order.filter((what) => what !== 'step');
    expect(forwards.reduce((sum, n) => sum + n, 0)).toBe(40);
    expect(forwards.length).toBeGreaterThan(3);
    expect(order.join()).not.toMatch(/\d+,\d+/);
    expect(codeOf(await stream)).toBe('done');
  });

  it('best-effort ones wait until it rests, but for their share of the time', async () => {
    const msPerToken = 1;
    let spentMs = 0;
    const { harness } = await watched({
      onEmbed: async (_, inputs) => {
        const tokens = inputs.reduce((sum, { length }) => sum + length, 0);
        if (harness.device.sequences.size > 0) spentMs += tokens * msPerToken;
        await harness.clock.sleep(tokens * msPerToken);
      },
    });
    await harness.embed({ input: texts(20) }); // now it is known how long they take
    const stream = harness.ask(busy, URGENT);
    while (harness.steps < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    spentMs = 0;
    const startMs = harness.clock.now();
    const embedded = harness.embed({ input: texts(2000) }).then(resultOf);
    const first = await Promise.race([
      embedded.then(() => 'embedded'),
      stream.then(() => 'stream'),
    ]);
    const ranMs = harness.clock.now() - startMs;
    expect(first).toBe('stream');
    expect(spentMs).toBeGreaterThan(0.02 * ranMs);
    expect(spentMs).toBeLessThan(0.1 * ranMs);
    expect((await embedded).vectors).toHaveLength(2000);
  });

  it('make short forwards, however many inputs there are and however slow the device is', async () => {
    const forwards: number[] = [];
    const { harness } = await watched({
      onEmbed: async (_, inputs) => {
        const tookMs = 0.5 * inputs.length * Math.max(...inputs.map(({ length }) => length));
        forwards.push(tookMs);
        await harness.clock.sleep(tookMs);
      },
    });
    const stream = harness.ask(busy, URGENT);
    await harness.embed({ input: texts(100) }, URGENT);
    for (const tookMs of forwards.slice(1)) expect(tookMs).toBeLessThanOrEqual(30);
    await stream;
  });

  it('do not wait for those without an objective that came before', async () => {
    const harness = await loaded();
    const ends: string[] = [];
    const slow = harness.embed({ input: texts(500) }).then(() => ends.push('background'));
    const fast = harness.embed({ input: WORDS }, URGENT).then(() => ends.push('urgent'));
    await Promise.all([slow, fast]);
    expect(ends).toEqual(['urgent', 'background']);
  });

  it('change none of its text', async () => {
    const alone = await (await loaded()).ask({ seed: 7, max_tokens: 60 });
    const { harness } = await watched();
    const [beside] = await Promise.all([
      harness.ask({ seed: 7, max_tokens: 60 }),
      harness.embed({ input: texts(200) }, URGENT),
    ]);
    expect(beside.texts).toEqual(alone.texts);
  });
});

describe('a request for embeddings that cannot be served', () => {
  const cases: [string, unknown, string, string][] = [
    ['without input', {}, 'invalid_request', 'input'],
    ['that is none', null, 'invalid_request', 'input'],
    ['of nothing', { input: [] }, 'invalid_request', 'input'],
    ['of an empty text', { input: '' }, 'invalid_request', 'input'],
    [
      'of spaces alone, which have no tokens',
      { input: ['a', '  '] },
      'invalid_request',
      'input[1]',
    ],
    ['of an empty text among others', { input: ['a', ''] }, 'invalid_request', 'input[1]'],
    ['of texts and ids at once', { input: ['a', 5] }, 'invalid_request', 'input[1]'],
    ['of half a token', { input: [1.5] }, 'invalid_request', 'input[0]'],
    ['of a token that there is not', { input: [[1], [2 ** 40]] }, 'invalid_request', 'input[1][0]'],
    ['of too many texts', { input: texts(2049) }, 'invalid_request', 'input'],
    ['that is too long', { input: 'word '.repeat(600) }, 'context_length_exceeded', 'input'],
    [
      'with one too long',
      { input: ['a', 'word '.repeat(600)] },
      'context_length_exceeded',
      'input[1]',
    ],
    ['of another model', { input: 'a', model: 'text-embedding-3-small' }, 'unknown_model', 'model'],
    [
      'in an unknown format',
      { input: 'a', encoding_format: 'int8' },
      'invalid_request',
      'encoding_format',
    ],
    ['of no dimension', { input: 'a', dimensions: 0 }, 'invalid_request', 'dimensions'],
    ['for nobody that has a name', { input: 'a', user: 5 }, 'invalid_request', 'user'],
    ['with a field misspelt', { input: 'a', dimension: 5 }, 'invalid_request', 'dimension'],
    [
      'with an unknown objective',
      { input: 'a', slo: { class: 'soon' } },
      'invalid_slo',
      'slo.class',
    ],
  ];

  it.each(cases)('%s, is told so, and harms nobody', async (_, params, code, param) => {
    const harness = await loaded();
    const other = harness.embed({ input: texts(12) });
    const outcome = await harness.embed(params as EmbeddingParams);
    expect(errorOf(outcome)).toMatchObject({ code, param });
    expect(resultOf(await other).vectors).toHaveLength(12);
  });

  it('takes null for not set', async () => {
    const harness = await loaded();
    const nothing = { model: null, encoding_format: null, dimensions: null, user: null, slo: null };
    expect(errorOf(await harness.embed({ input: WORDS, ...nothing }))).toEqual({ code: 'fine' });
  });

  it('for lack of a model, hears what is loaded', async () => {
    const harness = await new Harness().loaded();
    const error = errorOf(await harness.embed({ input: WORDS }));
    expect(error).toMatchObject({ code: 'unsupported', param: 'model' });
    expect(error).toMatchObject({ message: expect.stringMatching(/laptop-gpu.*embeddingModels/) });
    const nothing = errorOf(await new Harness().embed({ input: WORDS }));
    expect(nothing).toMatchObject({ code: 'not_loaded' });
  });

  it('for lack of room, hears when to come again', async () => {
    const harness = await loaded({}, { maxWaiting: 2 });
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map(() => harness.embed({ input: texts(50) })),
    );
    expect([errorOf(first).code, errorOf(second).code]).toEqual(['fine', 'fine']);
    expect(errorOf(third)).toMatchObject({ code: 'queue_full', retryAfterMs: expect.any(Number) });
  });

  it('for its name is another’s, hears that', async () => {
    const harness = await loaded();
    const [first, second] = await Promise.all(
      [1, 2].map(() => harness.embed({ input: WORDS }, { id: 'same' })),
    );
    expect(errorOf(first).code).toBe('fine');
    expect(errorOf(second)).toMatchObject({ code: 'invalid_request', param: 'id' });
  });
});

describe('a request for embeddings ends', () => {
  it('when its caller aborts it, waiting or in the middle of a forward, and others go on', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const harness = await loaded({ onEmbed: () => held });
    const input = texts(3);
    const [first, other, waiting] = [
      harness.embed({ input }, { id: 'first' }),
      harness.embed({ input }, { id: 'other' }),
      harness.embed({ input: texts(100) }, { id: 'waiting' }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 10));
    await harness.server.abort('first');
    await harness.server.abort('waiting');
    expect(errorOf(await first).code).toBe('aborted');
    expect(errorOf(await waiting).code).toBe('aborted');
    release();
    expect(resultOf(await other).vectors).toHaveLength(3);
  });

  it.each([
    ['unloaded', (harness: Harness) => harness.server.unload()],
    ['disposed of', (harness: Harness) => harness.server.dispose()],
    ['replaced', (harness: Harness) => harness.load()],
  ])('with `disposed` when its model is %s, and the model goes', async (_, end) => {
    const harness = await loaded({ onEmbed: () => new Promise((r) => setTimeout(r, 20)) });
    const open = harness.embed({ input: texts(300) });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await end(harness);
    expect(errorOf(await open).code).toBe('disposed');
    expect(harness.embedders.map(({ disposed }) => disposed)).toEqual([true, true]);
  });

  it('alone, where a forward fails on a device that is fine', async () => {
    let forwards = 0;
    const harness = await loaded({
      onEmbed: () => {
        if (++forwards === 1) throw new Error('out of its mind');
      },
    });
    expect(errorOf(await harness.embed({ input: WORDS }))).toMatchObject({
      code: 'engine_failed',
      message: 'out of its mind',
    });
    expect(errorOf(await harness.embed({ input: WORDS })).code).toBe('fine');
  });
});

describe('an embedding model that is lost', () => {
  it('is loaded again, and its requests get what they would have got', async () => {
    const expected = resultOf(await (await loaded()).embed({ input: texts(40) })).vectors;
    let forwards = 0;
    const harness = await loaded({
      onEmbed: (embedder) => {
        if (++forwards === 2) embedder.lose();
      },
    });
    const { vectors } = resultOf(await harness.embed({ input: texts(40) }));
    expect(vectors).toEqual(expected);
    expect(harness.embedders.map(({ model }) => model)).toEqual(['little', 'large', 'little']);
    expect(harness.embedders[0].disposed).toBe(true);
  });

  it('while nobody asks it for anything, is back before somebody does', async () => {
    const harness = await loaded();
    harness.embedders[0].lose();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(harness.embedders).toHaveLength(3);
    expect(errorOf(await harness.embed({ input: WORDS })).code).toBe('fine');
  });

  it('lets the chat model go on meanwhile', async () => {
    let reload = () => {};
    const reloading = new Promise<void>((resolve) => {
      reload = resolve;
    });
    const harness = await loaded({ onLoadEmbedder: (load) => (load > 2 ? reloading : undefined) });
    harness.embedders[0].lose();
    const embedded = harness.embed({ input: WORDS });
    expect(codeOf(await harness.ask({ max_tokens: 20 }))).toBe('done');
    reload();
    expect(errorOf(await embedded).code).toBe('fine');
  });

  it('fails its requests where it does not come back, and is tried again for the next', async () => {
    let broken = false;
    const harness = await loaded({
      onLoadEmbedder: () => {
        if (broken) throw new TempoError('webgpu_unavailable', 'There is no GPU.');
      },
    });
    broken = true;
    harness.embedders[0].lose();
    const error = errorOf(await harness.embed({ input: WORDS }));
    expect(error).toMatchObject({ code: 'engine_lost' });
    expect(error).toMatchObject({ message: expect.stringMatching(/There is no GPU/) });
    broken = false;
    expect(errorOf(await harness.embed({ input: WORDS })).code).toBe('fine');
  });

  it('under the same request again and again, fails that request', async () => {
    const harness = await loaded({
      onEmbed: (embedder, inputs) => {
        if (inputs.some(({ length }) => length === 1)) embedder.lose();
      },
    });
    expect(errorOf(await harness.embed({ input: 'deadly' })).code).toBe('engine_lost');
    expect(errorOf(await harness.embed({ input: WORDS })).code).toBe('fine');
  });
});

describe('loading embedding models', () => {
  it('leaves nothing behind where the load fails or is cancelled', async () => {
    const failing = new Harness({
      onLoad: () => {
        throw new TempoError('out_of_memory', 'No room.');
      },
    });
    expect(await failing.load({ embeddingModels: MODELS })).toMatchObject({ ok: false });
    expect(failing.embedders.map(({ disposed }) => disposed)).toEqual([true, true]);
    expect(failing.states.at(-1)).toMatchObject({ phase: 'failed' });

    const cancelled = new Harness({
      onLoadEmbedder: (load) => load === 2 && new Promise(() => {}),
    });
    const loading = cancelled.load({ embeddingModels: MODELS });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await cancelled.server.cancelLoad();
    expect(await loading).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(cancelled.embedders[0].disposed).toBe(true);
  });

  it('is refused in a kind of engine that has none', async () => {
    const { check, load } = ENGINES.simulated;
    const server = new TempoServer({ engines: { simulated: { check, load } } });
    const outcome = await server.load({
      engine: 'simulated',
      model: 'laptop-gpu',
      policy: 'tempo',
      embeddingModels: ['little'],
    });
    expect(outcome).toMatchObject({ error: { code: 'unsupported', param: 'embeddingModels' } });
  });
});

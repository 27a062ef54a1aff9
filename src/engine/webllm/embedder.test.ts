import { afterEach, describe, expect, it } from 'vitest';
import type { TempoError } from '../../scheduler';
import type { Embedder } from '../embedder';
import type { LoadProgress } from '../step-engine';
import {
  STAND_IN_EMBEDDER,
  STAND_IN_MODEL,
  StandIn,
  type StandInOptions,
} from '../testing/stand-in';
import { loadWebLlmEmbedder, type WebLlmEmbedderOptions } from './embedder';

const CLS = 256;
const SEP = 257;

const embedders: Embedder[] = [];
afterEach(async () => {
  for (const embedder of embedders.splice(0)) await embedder.dispose();
});

async function load(
  world: StandIn,
  options: Partial<WebLlmEmbedderOptions> = {},
): Promise<Embedder> {
  const embedder = await loadWebLlmEmbedder({
    model: STAND_IN_EMBEDDER,
    webllm: world.webllm,
    gpu: world.gpu,
    ...options,
  });
  embedders.push(embedder);
  return embedder;
}

const codeOf = (loading: Promise<unknown>) =>
  loading.then(
    () => 'fine',
    (error: TempoError) => error.code,
  );

describe('An embedding model through WebLLM', () => {
  it('says what it takes', async () => {
    const embedder = await load(new StandIn());
    expect(embedder).toMatchObject({
      model: STAND_IN_EMBEDDER,
      simulated: false,
      contextWindow: 64,
      maxBatch: 4,
      vocabSize: 258,
    });
    expect(embedder.device).toMatch(/stand-in/);
  });

  it('sees each text between [CLS] and [SEP], which are not put there twice', async () => {
    const embedder = await load(new StandIn());
    expect([...embedder.encode('ab')]).toEqual([CLS, 97, 98, SEP]);
    expect([...embedder.encode('[CLS]ab[SEP]')]).toEqual([CLS, 97, 98, SEP]);
    expect([...embedder.encode('[CLS]ab')]).toEqual([CLS, 97, 98, SEP]);
    expect([...embedder.encode(' ')]).toEqual([CLS, 32, SEP]);
  });

  it('encodes a text whole that its tokenizer would cut off', async () => {
    const embedder = await load(new StandIn());
    const words = Array.from({ length: 200 }, (_, i) => `word${i}`).join(' ');
    const ids = [...embedder.encode(words)];
    expect(ids.length).toBe(words.length + 2);
    expect(String.fromCharCode(...ids.slice(1, -1))).toBe(words);
    const unbroken = 'x'.repeat(1000);
    expect(embedder.encode(unbroken).length).toBe(1002);
  });

  it('gives a vector for each input of a forward', async () => {
    const world = new StandIn();
    const embedder = await load(world);
    const inputs = ['a', 'b', 'a'].map((text) => embedder.encode(text));
    const vectors = await embedder.embed(inputs);
    expect(world.embeddings).toEqual([inputs.map((ids) => [...ids])]);
    expect(vectors.map(({ length }) => length)).toEqual([8, 8, 8]);
    expect(vectors[2]).toEqual(vectors[0]);
    expect(vectors[1]).not.toEqual(vectors[0]);
  });

  it('says what is wrong, by code', async () => {
    const cases: [StandInOptions, Partial<WebLlmEmbedderOptions>, string][] = [
      [{}, { model: 'nothing' }, 'unknown_model'],
      [{}, { model: STAND_IN_MODEL }, 'unsupported'],
      [{ adapter: false }, {}, 'webgpu_unavailable'],
      [{ loadError: new TypeError('Failed to fetch') }, {}, 'network'],
      [
        { loadError: new Error("Failed to execute 'add' on 'Cache': Request failed") },
        {},
        'network',
      ],
    ];
    for (const [world, options, code] of cases) {
      expect(await codeOf(load(new StandIn(world), options))).toBe(code);
    }
  });

  it('reports its load, and stops at once when that is aborted', async () => {
    const reports: LoadProgress[] = [];
    await load(new StandIn(), { onProgress: (progress) => reports.push(progress) });
    expect(reports.at(-1)).toMatchObject({ phase: 'ready', fraction: 1 });

    const controller = new AbortController();
    const loading = load(new StandIn({ loadMs: 600 }), { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    const late = new Promise((resolve) => setTimeout(resolve, 600, 'late'));
    expect(await Promise.race([codeOf(loading), late])).toBe('aborted');
  });

  it('is lost with its device, and says so', async () => {
    const world = new StandIn();
    const embedder = await load(world);
    const computing = embedder.embed([embedder.encode('a')]);
    world.loseDevice('driver reset');
    expect(await codeOf(computing)).toBe('engine_lost');
    expect((await embedder.lost).message).toMatch(/driver reset/);
    expect(await codeOf(embedder.embed([]))).toBe('engine_lost');
    expect(() => embedder.encode('a')).toThrow(/driver reset/);
  });
});

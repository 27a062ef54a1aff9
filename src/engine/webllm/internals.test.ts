import { describe, expect, it } from 'vitest';
import { STAND_IN_MODEL, StandIn } from '../testing/stand-in';
import { readInternals, readTextParts } from './internals';

async function loaded(world = new StandIn()) {
  const engine = new world.webllm.MLCEngine({
    appConfig: world.webllm.prebuiltAppConfig,
    initProgressCallback: () => {},
  });
  await engine.reload(STAND_IN_MODEL);
  const pipelines = Reflect.get(engine, 'loadedModelIdToPipeline') as Map<string, object>;
  return { engine, pipeline: pipelines.get(STAND_IN_MODEL) as Record<string, unknown> };
}

describe("Looking into WebLLM's engine", () => {
  it('finds the pipeline and what its library says of itself', async () => {
    const { engine } = await loaded();
    expect(readInternals(engine, STAND_IN_MODEL)).toMatchObject({
      metadata: { context_window_size: 1024 },
    });
  });

  it('says in a sentence what a version of WebLLM is without', async () => {
    expect(readInternals({}, STAND_IN_MODEL)).toBe(
      'This version of WebLLM has no MLCEngine.loadedModelIdToPipeline.',
    );
    for (const part of ['tvm', 'vm', 'device', 'params', 'embed', 'tokenizer', 'config']) {
      const { engine, pipeline } = await loaded();
      delete pipeline[part];
      expect(readInternals(engine, STAND_IN_MODEL)).toMatch(new RegExp(`pipeline\\.${part}`));
    }
    const { engine, pipeline } = await loaded();
    pipeline.tvm = { ...(pipeline.tvm as object), makeShapeTuple: undefined };
    expect(readInternals(engine, STAND_IN_MODEL)).toBe(
      'This version of WebLLM has no pipeline.tvm.makeShapeTuple.',
    );
  });

  it('needs less for serial serving', async () => {
    const { engine, pipeline } = await loaded();
    delete pipeline.vm;
    expect(typeof readTextParts(engine, STAND_IN_MODEL)).toBe('object');
    delete pipeline.tokenizer;
    expect(readTextParts(engine, STAND_IN_MODEL)).toMatch(/pipeline\.tokenizer/);
  });

  it('frees all that it looks at', async () => {
    const world = new StandIn();
    const { engine } = await loaded(world);
    const before = world.objects;
    readInternals(engine, STAND_IN_MODEL);
    expect(world.objects).toBe(before);
    expect(world.scopes).toEqual([]);
  });
});

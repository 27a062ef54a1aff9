import { expect, it } from 'vitest';
import { STAND_IN_MODEL, StandIn } from '../testing/stand-in';
import type { MlcPipeline } from './internals';
import { loadWebLlmEngine } from './load';
import type { MlcEngine } from './webllm-module';

it('a load on a GPU that hangs can be cancelled', async () => {
  const world = new StandIn();
  class Hanging extends world.webllm.MLCEngine {
    override async reload(...args: Parameters<MlcEngine['reload']>): Promise<void> {
      await super.reload(...args);
      const loaded = Reflect.get(this, 'loadedModelIdToPipeline') as Map<string, MlcPipeline>;
      for (const { device } of loaded.values()) device.sync = () => new Promise(() => {});
    }
  }
  const controller = new AbortController();
  const loading = loadWebLlmEngine({
    model: STAND_IN_MODEL,
    webllm: { ...world.webllm, MLCEngine: Hanging },
    gpu: world.gpu,
    kvBudgetBytes: 1 << 16,
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 20);
  await expect(loading).rejects.toMatchObject({ code: 'aborted' });
});

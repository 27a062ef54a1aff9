import * as webllm from '@mlc-ai/web-llm';
import type { WebLlmModule } from '../../src/engine/webllm';
import type { MlcPipeline } from '../../src/engine/webllm/internals';

/** WebLLM, and the pipelines of all models that its engines load: what an engine hides, a test may count. */
export function keptPipelines(): { webllm: WebLlmModule; pipelines: MlcPipeline[] } {
  const pipelines: MlcPipeline[] = [];
  class Watched extends webllm.MLCEngine {
    override async reload(...args: Parameters<webllm.MLCEngine['reload']>): Promise<void> {
      await super.reload(...args);
      const loaded = Reflect.get(this, 'loadedModelIdToPipeline') as Map<string, MlcPipeline>;
      pipelines.push(...loaded.values());
    }
  }
  return { webllm: { ...webllm, MLCEngine: Watched } as unknown as WebLlmModule, pipelines };
}

import type { MlcPipeline } from '../../webllm/internals';
import type { MlcEngine, WebLlmModule } from '../../webllm/webllm-module';
import { STAND_IN_MODEL } from './model';
import type { StandInOptions } from './options';
import { makeWebLlm } from './web-llm';
import { World } from './world';

/**
 * A stand-in for WebLLM, its runtime and a GPU, for tests: tiny, deterministic, on the CPU. It keeps
 * tokens in paged KV slots, and its logits are a hash of what a sequence's slots hold, in order; so
 * a mistake in paging, forking, popping, chunking or batching comes out in the text. It follows the
 * runtime's rules (page counts, shared blocks, scopes, copies that arrive with `sync`) and breaks off
 * as the runtime does where they are not kept. Kernels can be told to compute wrongly.
 */
export class StandIn extends World {
  readonly webllm: WebLlmModule;

  constructor(options: StandInOptions = {}) {
    super(options);
    this.webllm = makeWebLlm(this);
  }

  /** Loads the model as a page would through WebLLM alone; with the pipeline that WebLLM makes of it. */
  async load(chatOptions?: object): Promise<{ engine: MlcEngine; pipeline: MlcPipeline }> {
    const engine = new this.webllm.MLCEngine({
      appConfig: this.webllm.prebuiltAppConfig,
      initProgressCallback: () => {},
    });
    await engine.reload(STAND_IN_MODEL, chatOptions);
    const pipelines = Reflect.get(engine, 'loadedModelIdToPipeline') as Map<string, MlcPipeline>;
    const pipeline = pipelines.get(STAND_IN_MODEL);
    if (pipeline === undefined) throw new Error('The stand-in loaded nothing.');
    return { engine, pipeline };
  }
}

export { MERGE_STATE_KERNEL, STAND_IN_EMBEDDER, STAND_IN_MODEL } from './model';
export type { StandInOptions } from './options';

import type { ChatOptions } from '../../webllm/app-config';
import type { WebLlmModule } from '../../webllm/webllm-module';
import { logitsOf, vectorOf } from './logits';
import { EMBEDDER, MERGE_STATE_KERNEL, STAND_IN_EMBEDDER, STAND_IN_MODEL } from './model';
import type { PagedCache } from './paged-cache';
import { makePipeline } from './pipeline';
import { EmbeddingTokenizer, type Tokenizer } from './tokenizer';
import type { World } from './world';

type LogitProcessor = { processLogits(logits: Float32Array): Float32Array };

export function makeWebLlm(world: World): WebLlmModule {
  class MLCEngine {
    readonly loadedModelIdToPipeline = new Map<
      string,
      | ReturnType<typeof makePipeline>['pipeline']
      | (typeof EMBEDDER & { tokenizer: Tokenizer; dispose(): void })
    >();
    readonly #config: {
      initProgressCallback?: (report: {
        progress: number;
        timeElapsed: number;
        text: string;
      }) => void;
      logitProcessorRegistry?: Map<string, LogitProcessor>;
    };
    #own: PagedCache | undefined;
    #aborted = false;

    constructor(config: MLCEngine['config']) {
      this.#config = config;
    }

    get config() {
      return this.#config;
    }

    async reload(modelId: string, options: ChatOptions = {}): Promise<void> {
      this.#letGo(); // as the real one does
      this.#aborted = false;
      const report = (progress: number, text: string) =>
        this.#config.initProgressCallback?.({ progress, timeElapsed: 1, text });
      report(0, 'Start to fetch params');
      const adapter = await world.gpu.requestAdapter();
      const device = await adapter?.requestDevice();
      report(0.5, 'Fetching param cache[1/2]: 10MB fetched. 50% completed, 1 secs elapsed.');
      if (world.options.loadMs) await new Promise((r) => setTimeout(r, world.options.loadMs));
      if (this.#aborted) return; // as the real one does
      if (world.options.loadError !== undefined) throw world.options.loadError;
      const { slidingWindow } = world.options;
      if (slidingWindow !== undefined && options.context_window_size !== undefined) {
        const error = new Error(
          'Only one of context_window_size and sliding_window_size may be set',
        );
        throw Object.assign(error, { name: 'WindowSizeConfigurationError' });
      }
      device?.createShaderModule({ code: MERGE_STATE_KERNEL });
      if (modelId === STAND_IN_EMBEDDER) {
        const tokenizer = new EmbeddingTokenizer();
        const dispose = () => tokenizer.dispose();
        this.loadedModelIdToPipeline.set(modelId, { ...EMBEDDER, tokenizer, dispose });
        void device?.lost.then(() => this.unload());
        return;
      }
      report(1, 'Loading GPU shader modules[1/1]: 100% completed, 0 secs elapsed.');
      const { pipeline, own } = makePipeline(world, options);
      this.#own = own;
      this.loadedModelIdToPipeline.set(modelId, pipeline);
      void device?.lost.then(() => this.unload());
    }

    async unload(): Promise<void> {
      this.#aborted = true;
      this.#letGo();
    }

    #letGo(): void {
      for (const pipeline of this.loadedModelIdToPipeline.values()) pipeline.dispose();
      this.loadedModelIdToPipeline.clear();
    }

    async resetChat(): Promise<void> {
      this.#own?.remove(0);
      this.#own?.add(0);
    }

    async embedding({ input, model }: { input: number[][]; model: string }) {
      if (!this.loadedModelIdToPipeline.has(model)) throw new Error(`${model} is not loaded.`);
      const { maxBatchSize: most, config } = EMBEDDER;
      if (input.length > most) throw new Error(`A forward takes ${most} inputs.`);
      if (input.some(({ length }) => length < 1 || length > config.context_window_size)) {
        throw new Error('EmbeddingExceedContextWindowSizeError');
      }
      world.embeddings.push(input);
      await new Promise((resolve) => setTimeout(resolve, 0));
      world.check();
      // As the real one: what shorter inputs are padded with is attended to.
      const longest = Math.max(...input.map(({ length }) => length));
      const padded = input.map((ids) => [...ids, ...new Array(longest - ids.length).fill(0)]);
      return { data: padded.map((ids, index) => ({ index, embedding: vectorOf(ids) })) };
    }

    /** Feeds tokens to the one sequence there is, in chunks, and samples. */
    async forwardTokensAndSample(ids: number[]): Promise<number> {
      const own = this.#own;
      if (own === undefined) throw new Error('Engine not loaded');
      let hash = 0;
      for (let at = 0; at < ids.length; at += own.chunk) {
        const chunk = ids.slice(at, at + own.chunk);
        own.begin([0], [chunk.length]);
        hash = own.run({ data: Int32Array.from(chunk), isPart: false }).at(-1) ?? 0;
        own.end();
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
      const processor = this.#config.logitProcessorRegistry?.get(STAND_IN_MODEL);
      const logits = processor?.processLogits(logitsOf(hash)) ?? logitsOf(hash);
      return logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
    }
  }
  return {
    MLCEngine,
    prebuiltAppConfig: {
      model_list: [
        { model_id: STAND_IN_MODEL, required_features: ['shader-f16'] },
        { model_id: STAND_IN_EMBEDDER, model_type: 1 },
      ],
    },
  } as unknown as WebLlmModule;
}

import type { Embedder } from '../engine/embedder';
import { startGrammarWorker } from '../engine/sampling/remote/start';
import type { LoadOptions, StepEngine } from '../engine/step-engine';
import { part } from './part';
import type { LoadConfig } from './server-types';

/** How one kind of engine comes to be. */
export interface EngineKind {
  /** Throws what is wrong with `config` before anything that runs is given up for it. */
  check(config: LoadConfig): Promise<void>;
  load(config: LoadConfig, options: LoadOptions): Promise<StepEngine>;
  /** Whether `config.model` turns texts into vectors, and answers no chat. Default: it does not. */
  embeds?(config: LoadConfig): Promise<boolean>;
  /** Loads an embedding model by its name. A kind without it has none. */
  loadEmbedder?(model: string, config: LoadConfig, options: LoadOptions): Promise<Embedder>;
}

export type EngineKinds = Readonly<Record<LoadConfig['engine'], EngineKind>>;

const simulated = () => part(() => import('../engine/simulated'));
const webllm = () => part(() => import('../engine/webllm'));

/** Each is imported when it is asked for: WebLLM is megabytes, and most pages simulate nothing. */
export const ENGINES: EngineKinds = {
  simulated: {
    async check({ model }) {
      const { deviceProfile } = await simulated();
      deviceProfile(model);
    },
    async load({ model }, options) {
      const { loadSimulatedEngine } = await simulated();
      return loadSimulatedEngine({ profile: model, ...options });
    },
    async loadEmbedder(model, { model: profile }, options) {
      const { loadSimulatedEmbedder } = await simulated();
      return loadSimulatedEmbedder({ model, profile, ...options });
    },
  },
  webllm: {
    async check({ model, embeddingModels = [], appConfig }) {
      const { checkWebLlmModels } = await webllm();
      await checkWebLlmModels(model, embeddingModels, appConfig);
    },
    async load({ model, maxSequences, kvBytes, appConfig, chatOptions }, options) {
      const { loadWebLlmEngine } = await webllm();
      return loadWebLlmEngine({
        model,
        maxSequences,
        kvBudgetBytes: kvBytes,
        appConfig,
        chatOptions,
        startGrammars: startGrammarWorker,
        ...options,
      });
    },
    async embeds({ model, appConfig }) {
      const { isEmbeddingModel } = await webllm();
      return isEmbeddingModel(model, appConfig);
    },
    async loadEmbedder(model, { appConfig }, options) {
      const { loadWebLlmEmbedder } = await webllm();
      return loadWebLlmEmbedder({ model, appConfig, ...options });
    },
  },
};

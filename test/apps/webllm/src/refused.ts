/** What Tempo does not do, and says so. */
import * as webllm from '@mlc-ai/web-llm';
import { type Checks, failure, matches } from './check';
import { MODEL, onTempo } from './examples/on-tempo';

export const refused: Checks = {
  'two chat models in one engine': async () => {
    const both = [MODEL, 'Qwen3-0.6B-q4f16_1-MLC'];
    matches(await failure(webllm.CreateMLCEngine(both, onTempo)), {
      name: 'TooManyChatModelsError',
      code: 'unsupported',
    });
  },

  'logit processors': async () => {
    const processor = {
      processLogits: (logits: Float32Array) => logits,
      processSampledToken() {},
      resetState() {},
    };
    const logitProcessorRegistry = new Map([[MODEL, processor]]);
    const make = async () => new webllm.MLCEngine({ ...onTempo, logitProcessorRegistry });
    matches(await failure(make()), { code: 'unsupported', param: 'logitProcessorRegistry' });
  },

  'an extension’s service worker': async () => {
    const made = webllm.CreateExtensionServiceWorkerMLCEngine(MODEL);
    matches(await failure(made), { name: 'FeatureSupportError', code: 'unsupported' });
  },

  'a model that is not in the list': async () => {
    matches(await failure(webllm.CreateMLCEngine('no-such-model')), {
      name: 'ModelNotFoundError',
      code: 'unknown_model',
    });
  },
};

/** What Tempo does not do, and says so. */
import * as webllm from '@mlc-ai/web-llm';
import webllmItself from '../node_modules/@mlc-ai/web-llm/lib/index.js?url';
import { type Checks, failure, matches } from './check';
import { MODEL, onTempo } from './examples/on-tempo';

/** A worker whose file was forgotten: it still imports WebLLM. */
function startForgotten(): Worker {
  const source = `import { WebWorkerMLCEngineHandler } from '${new URL(webllmItself, location.href)}';
const handler = new WebWorkerMLCEngineHandler();
onmessage = (event) => handler.onmessage(event);`;
  const blob = new Blob([source], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(blob), { type: 'module' });
}

export const refused: Checks = {
  'a worker whose file still imports WebLLM': async () => {
    const worker = startForgotten();
    matches(await failure(webllm.CreateWebWorkerMLCEngine(worker, MODEL, onTempo)), {
      name: 'UnknownMessageKindError',
      code: 'worker_unavailable',
    });
    worker.terminate();
  },

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

/**
 * Continuous batching on WebLLM's weights, behind `StepEngine`. `load` brings a model up through
 * `MLCEngine`; then `batched-load` makes a KV cache of our own beside WebLLM's (`batch-model`), tries
 * the device out (`device-trial`, `self-test`) and puts the engine together (`webllm-engine`), or
 * `serial-load` falls back to WebLLM's public API (`serial-engine`). What is touched inside WebLLM is
 * declared in `internals`; `stand-in` plays it in tests. Embedding models are loaded beside it (`embedder`).
 * What is downloaded (`download`) and kept (`model-store`) is told from `app-config`'s lists of models.
 */
export * from './app-config';
export * from './embedder';
export * from './load';
export * from './model-store';
export * from './webllm-module';
export type { WebLlmOptions } from './webllm-options';

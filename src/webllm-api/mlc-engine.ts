import type { ChatOptions, MLCEngineConfig } from './config-types';
import { Engine } from './engine';

/**
 * WebLLM's engine on a Tempo of its own, whose worker starts with the first `reload` and ends with
 * `unload`. Calls run side by side.
 *
 * ```ts
 * const engine = new MLCEngine({ tempo: { slo: { class: 'latency', ttft: 800, tbt: 80 } } });
 * await engine.reload('Llama-3.2-1B-Instruct-q4f16_1-MLC');
 * ```
 */
export class MLCEngine extends Engine {
  constructor(engineConfig?: MLCEngineConfig) {
    super(engineConfig);
  }
}

/** An engine with `modelId` loaded: `new MLCEngine(engineConfig)` and `reload(modelId, chatOpts)` in one. */
export async function CreateMLCEngine(
  modelId: string | string[],
  engineConfig?: MLCEngineConfig,
  chatOpts?: ChatOptions | ChatOptions[],
): Promise<MLCEngine> {
  const engine = new MLCEngine(engineConfig);
  await engine.reload(modelId, chatOpts);
  return engine;
}

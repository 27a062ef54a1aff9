import { TempoError } from '../../scheduler';
import type { StepEngine } from '../step-engine';
import { nameOf } from './gpu-device';
import type { GpuWatch } from './gpu-watch';
import { readTextParts } from './internals';
import { grammarsOf } from './lazy-grammars';
import { loadedModel } from './loaded-model';
import { type LogitTap, SerialEngine } from './serial-engine';
import { imageFeed } from './serial-images';
import type { MlcEngine } from './webllm-module';
import { UNSAID_WINDOW, type WebLlmOptions } from './webllm-options';

/**
 * The engine for what cannot be served in batches. `engine` has the model loaded with its whole
 * context window, and `tap` as its logit processor. Throws unsupported where not even that works.
 */
export function serialEngine(
  options: WebLlmOptions,
  engine: MlcEngine,
  tap: LogitTap,
  reason: string,
  watch: Pick<GpuWatch, 'adapter' | 'device'> & { unload: () => Promise<void> },
): StepEngine {
  const parts = readTextParts(engine, options.model);
  if (typeof parts === 'string') throw new TempoError('unsupported', parts);
  const { config } = parts;
  const window = [config.context_window_size, config.sliding_window_size].find((size) => size > 0);
  const contextWindow = Math.min(
    window ?? UNSAID_WINDOW,
    options.contextWindow ?? Number.POSITIVE_INFINITY,
  );
  const images = imageFeed(engine, options.model);
  const notes = [`${reason} So requests are served one at a time, through WebLLM's public API.`];
  if (typeof images === 'string') notes.push(images);
  else if (images !== undefined) notes.push('Images go through its own way of feeding them.');
  options.onProgress?.({ phase: 'ready', text: 'Ready, one request at a time.', fraction: 1 });
  return new SerialEngine({
    api: engine,
    logits: tap,
    grammars: grammarsOf(options.model, parts, options.startGrammars),
    images: typeof images === 'object' ? images : undefined,
    model: loadedModel(options.model, parts, typeof images === 'object' ? images.input : images),
    status: {
      kind: 'webllm',
      model: options.model,
      device: nameOf(watch.adapter),
      mode: 'serial',
      notes,
      kvBytes: 0,
    },
    contextWindow,
    deviceLost:
      watch.device?.lost.then(({ message, reason: why }) => message || String(why)) ??
      new Promise(() => {}),
    unload: watch.unload,
  });
}

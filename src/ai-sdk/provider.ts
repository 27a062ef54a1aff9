import { InvalidArgumentError, NoSuchModelError } from '@ai-sdk/provider';
import type { Tempo } from '../client';
import { TempoEmbeddingModel } from './embedding-model';
import { TempoLanguageModel } from './language-model';
import { Routes } from './routes';
import type { TempoProvider, TempoProviderSettings } from './types';

const SETTINGS = ['app', 'slo', 'program'];

/**
 * The AI SDK on a Tempo:
 *
 * ```ts
 * const tempo = createTempo({ model: 'Qwen3-0.6B-q4f16_1-MLC' });
 * const provider = createTempoProvider(tempo, {
 *   app: 'chat',
 *   slo: { class: 'latency', ttft: 800, tbt: 80 },
 * });
 * const { textStream } = streamText({ model: provider(), prompt: 'Why is the sky blue?' });
 * ```
 *
 * Calls wait until the engine is loaded. A full queue is an `APICallError` that the AI SDK retries when
 * there is room again. Throws `InvalidArgumentError` for settings that are none.
 */
export function createTempoProvider(
  tempo: Tempo,
  settings?: TempoProviderSettings | null,
): TempoProvider {
  if (typeof tempo?.app !== 'function') throw invalid('tempo', 'must be what createTempo returns');
  for (const name of Object.keys(settings ?? {})) {
    if (!SETTINGS.includes(name)) {
      throw invalid(`settings.${name}`, `is not known; what is: ${SETTINGS.join(', ')}`);
    }
  }
  if (settings?.program && typeof settings.program.chat?.completions?.create !== 'function') {
    throw invalid('settings.program', 'must be what tempo.program() or provider.program() returns');
  }
  const routes = new Routes(tempo, settings ?? {});
  const languageModel = (modelId?: string | null) =>
    new TempoLanguageModel(routes, modelId || undefined);
  return Object.assign((modelId?: string | null) => languageModel(modelId), {
    specificationVersion: 'v4' as const,
    languageModel,
    embeddingModel: (modelId?: string | null) =>
      new TempoEmbeddingModel(routes, modelId || undefined),
    imageModel: (modelId: string): never => {
      throw new NoSuchModelError({ modelId, modelType: 'imageModel' });
    },
    program: (options: Parameters<TempoProvider['program']>[0]) => routes.startProgram(options),
  });
}

function invalid(argument: string, sentence: string): InvalidArgumentError {
  return new InvalidArgumentError({ argument, message: `${argument} ${sentence}.` });
}

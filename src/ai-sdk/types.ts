import type { EmbeddingModelV4, LanguageModelV4 } from '@ai-sdk/provider';
import type { ProgramOptions, Slo, TempoProgram } from '../client';

/** What a provider's calls have in common; each may say otherwise in `providerOptions.tempo`. */
export interface TempoProviderSettings {
  /** The feature of the page that the calls are accounted to. Default `ai-sdk`. */
  app?: string | null;
  /** That app's objective. Default: the one that it has, or best-effort. */
  slo?: Slo | null;
  /** The program that the calls belong to, with one deadline for them all. */
  program?: TempoProgram | null;
}

/**
 * A provider of the AI SDK (`ProviderV4`), of the model that a Tempo has loaded. A model is asked for
 * by its id, or by nothing for whichever is loaded; a call that names another than is loaded fails with
 * `NoSuchModelError`.
 */
export interface TempoProvider {
  (modelId?: string | null): LanguageModelV4;
  readonly specificationVersion: 'v4';
  languageModel(modelId?: string | null): LanguageModelV4;
  /** Throws `NoSuchModelError` where this Tempo makes no embeddings. */
  embeddingModel(modelId?: string | null): EmbeddingModelV4;
  /** Throws `NoSuchModelError`: there are none. */
  imageModel(modelId: string): never;
  /**
   * Starts a program, for calls that say so: `providerOptions: { tempo: { program: program.id } }`. Its
   * app is the provider's unless it names one.
   */
  program(options: Omit<ProgramOptions, 'app'> & { app?: string | null }): TempoProgram;
}

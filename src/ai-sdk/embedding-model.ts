import {
  type EmbeddingModelV4,
  type EmbeddingModelV4CallOptions,
  type EmbeddingModelV4Result,
  NoSuchModelError,
  type SharedV4Warning,
} from '@ai-sdk/provider';
import type { Slo, TempoApp } from '../client';
import { aiError } from './errors';
import { tempoOptions } from './provider-options';
import type { Routes } from './routes';

/** As the OpenAI API has it, and what Tempo adds. */
interface Embeddings {
  create(
    params: { input: string[]; model?: string; dimensions?: number; slo?: Slo },
    options?: { signal?: AbortSignal },
  ): Promise<EmbeddingAnswer>;
}

interface EmbeddingAnswer {
  data: { index: number; embedding: number[] }[];
  usage: { prompt_tokens: number; extra?: { queued_ms: number; ttlt_ms: number } };
  simulated?: boolean;
}

/** The loaded embedding model. */
export class TempoEmbeddingModel implements EmbeddingModelV4 {
  readonly specificationVersion = 'v4';
  readonly provider = 'tempo.embedding';
  /** The OpenAI API's limit. */
  readonly maxEmbeddingsPerCall = 2048;
  readonly supportsParallelCalls = true;
  readonly #routes: Routes;
  readonly #wanted: string | undefined;

  /** Throws `NoSuchModelError` where this Tempo makes no embeddings. */
  constructor(routes: Routes, wanted: string | undefined) {
    this.#routes = routes;
    this.#wanted = wanted;
    this.#embeddings(undefined);
  }

  get modelId(): string {
    return this.#wanted ?? 'default';
  }

  async doEmbed({
    values,
    dimensions: wanted,
    abortSignal,
    providerOptions,
  }: EmbeddingModelV4CallOptions): Promise<EmbeddingModelV4Result> {
    const dimensions = wanted ?? undefined;
    const { app, slo } = tempoOptions(providerOptions, ['app', 'slo']);
    const params = {
      input: values,
      ...(this.#wanted !== undefined && { model: this.#wanted }),
      ...(dimensions !== undefined && { dimensions }),
      ...(slo !== undefined && { slo }),
    };
    const answer = await this.#embeddings(app)
      .create(params, { signal: abortSignal })
      .catch((thrown: unknown) => {
        throw this.#error(thrown, params);
      });
    const { data, usage, simulated } = answer;
    const embeddings = [...data].sort((a, b) => a.index - b.index).map((one) => one.embedding);
    return {
      embeddings,
      usage: { tokens: usage.prompt_tokens },
      providerMetadata: { tempo: { ...usage.extra, simulated } },
      response: { body: answer },
      warnings: warningsOf(embeddings, dimensions),
    };
  }

  #embeddings(name: string | undefined): Embeddings {
    const app: TempoApp & { embeddings?: Embeddings } = this.#routes.app(name);
    if (app.embeddings !== undefined) return app.embeddings;
    throw new NoSuchModelError({
      modelId: this.modelId,
      modelType: 'embeddingModel',
      message: 'This version of Tempo makes no embeddings.',
    });
  }

  #error(thrown: unknown, body: object): unknown {
    return aiError(thrown, {
      path: 'embeddings',
      modelType: 'embeddingModel',
      modelId: this.modelId,
      body,
      phase: this.#routes.phase,
    });
  }
}

/** Not every model can shorten its vectors. */
function warningsOf(embeddings: number[][], dimensions: number | undefined): SharedV4Warning[] {
  const length = embeddings[0]?.length;
  if (dimensions === undefined || length === undefined || length === dimensions) return [];
  return [
    {
      type: 'unsupported',
      feature: 'dimensions',
      details: `The vectors have ${length} dimensions, not ${dimensions}.`,
    },
  ];
}

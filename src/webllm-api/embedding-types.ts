/** WebLLM's embeddings (0.2.86, `openai_api_protocols/embedding`). */
import type { Slo } from '../client';

export interface EmbeddingCreateParams {
  input: string | Array<string> | Array<number> | Array<Array<number>>;
  model?: string | null;
  /** `base64` is refused, as in WebLLM. */
  encoding_format?: 'float' | 'base64';
  /** The first so many numbers, scaled to length 1 again. WebLLM refuses it. */
  dimensions?: number;
  /** No effect. */
  user?: string;
  /** This request's objective instead of its engine's. */
  slo?: Slo | null;
  /** Ends it: it throws an `AbortError` then. */
  signal?: AbortSignal | null;
}

export interface CreateEmbeddingResponse {
  data: Array<Embedding>;
  model: string;
  object: 'list';
  usage: CreateEmbeddingResponse.Usage;
  /** The vectors were made up by Tempo's simulated engine. */
  simulated?: boolean;
}

export namespace CreateEmbeddingResponse {
  export interface Usage {
    prompt_tokens: number;
    total_tokens: number;
    extra: {
      prefill_tokens_per_s: number;
      /** Tempo's, ms. */
      queued_ms?: number;
      ttlt_ms?: number;
    };
  }
}

export interface Embedding {
  embedding: Array<number>;
  index: number;
  object: 'embedding';
}

/**
 * The OpenAI API's embeddings (platform.openai.com/docs/api-reference/embeddings), as far as Tempo serves
 * them, and what Tempo adds.
 */
import type { Slo } from '../scheduler';

export interface EmbeddingParams {
  /** A text, some texts, a text's token ids, or those of some texts; at most 2048 of them, none empty. */
  input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  /** Must be a loaded embedding model's id where it is given. Default: the first that was loaded. */
  model?: string | null;
  /** `base64`: the vectors' 32-bit floats, little-endian. Default `float`: lists of numbers. */
  encoding_format?: 'float' | 'base64' | null;
  /**
   * The vectors' first so many numbers, scaled to length 1 again. Of use with models that were trained for it;
   * with others much is lost.
   */
  dimensions?: number | null;
  /** Taken, and of no effect. */
  user?: string | null;

  // What Tempo adds.
  /** This request's objective instead of its app's. */
  slo?: Slo | null;
}

export interface Embedding<Vector = number[]> {
  object: 'embedding';
  /** Which input it belongs to. */
  index: number;
  /** Of length 1. */
  embedding: Vector;
}

export interface EmbeddingUsage {
  prompt_tokens: number;
  total_tokens: number;
  /** How the request fared; times in ms. */
  extra: { queued_ms: number; ttlt_ms: number };
}

/** OpenAI's `CreateEmbeddingResponse`. */
export interface EmbeddingResponse<Vector = number[]> {
  object: 'list';
  data: Embedding<Vector>[];
  model: string;
  usage: EmbeddingUsage;
  /** The vectors were made up by the simulated engine. */
  simulated: boolean;
}

/** A request for embeddings on its way to the server. */
export interface EmbeddingSubmission {
  id: string;
  app: string;
  params: EmbeddingParams;
  slo: Slo;
}

/** A server's answer to it; the client puts it into OpenAI's shape. */
export interface EmbeddingResult {
  model: string;
  /** One for each input, of length 1. */
  vectors: Float32Array[];
  usage: EmbeddingUsage;
  simulated: boolean;
}

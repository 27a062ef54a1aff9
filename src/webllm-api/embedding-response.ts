import type { TempoApp } from '../client';
import type { CreateEmbeddingResponse, EmbeddingCreateParams } from './embedding-types';
import { requestError, WebLLMError } from './errors';
import { perSecond } from './usage';

/** Vectors for texts, in WebLLM's shape. Throws by WebLLM's names. */
export async function embeddingResponse(
  app: TempoApp,
  { input, model, encoding_format: encoding, dimensions, slo, signal }: EmbeddingCreateParams,
): Promise<CreateEmbeddingResponse> {
  if (encoding === 'base64') {
    throw new WebLLMError(
      'EmbeddingUnsupportedEncodingFormatError',
      'unsupported',
      "WebLLM's embeddings are lists of numbers. For base64, use app.embeddings of tempo-llm.",
      { param: 'encoding_format' },
    );
  }
  try {
    const { data, usage, simulated } = await app.embeddings.create(
      { input, model, dimensions, slo },
      { signal },
    );
    const { prompt_tokens: tokens, total_tokens: total, extra } = usage;
    const rate = perSecond(tokens, extra.ttlt_ms - extra.queued_ms);
    return {
      data,
      model: model ?? '',
      object: 'list',
      usage: {
        prompt_tokens: tokens,
        total_tokens: total,
        extra: { prefill_tokens_per_s: rate, ...extra },
      },
      simulated,
    };
  } catch (thrown) {
    throw requestError(thrown);
  }
}

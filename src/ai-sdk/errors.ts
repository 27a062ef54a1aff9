import { APICallError, NoSuchModelError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import type { ServerState } from '../client';
import { TempoError } from '../worker/protocol';

export interface FailedCall {
  /** The address that a server of OpenAI's API would have; nothing is there. */
  path: 'chat/completions' | 'embeddings';
  modelType: 'languageModel' | 'embeddingModel';
  modelId: string;
  /** The request as it was sent. */
  body: object;
  /** Of the Tempo, after the failure. */
  phase: ServerState['phase'];
}

/**
 * What a failed call throws. The AI SDK retries an `APICallError` that says so, after the time that it
 * says; it leaves alone what its caller's signal ended (`AbortError`, `TimeoutError`).
 */
export function aiError(thrown: unknown, call: FailedCall): unknown {
  if (!(thrown instanceof TempoError)) return thrown;
  const { code, message, param } = thrown;
  if (code === 'aborted' || code === 'timeout') return thrown;
  const unsupported = code === 'unsupported' && param !== undefined;
  if (code === 'unknown_model' || (unsupported && call.modelType === 'embeddingModel')) {
    return new NoSuchModelError({ modelId: call.modelId, modelType: call.modelType, message });
  }
  if (refusesImages(thrown, call.body)) {
    return new UnsupportedFunctionalityError({
      functionality: 'images',
      message: `The loaded model takes no images: ${message}`,
    });
  }
  if (unsupported) return new UnsupportedFunctionalityError({ functionality: param, message });
  const error = { message, type: thrown.type, param: param ?? null, code };
  return new APICallError({
    message,
    url: `tempo:/v1/${call.path}`,
    requestBodyValues: call.body,
    statusCode: thrown.status,
    responseHeaders: retryHeaders(thrown),
    responseBody: JSON.stringify({ error }),
    data: { error },
    cause: thrown,
    isRetryable: isRetryable(thrown, call.phase),
  });
}

/** The engine is gone from under the request, and another is there or on its way. */
const ENGINE_GONE = new Set(['disposed', 'engine_lost']);

function isRetryable({ code, retryAfterMs }: TempoError, phase: FailedCall['phase']): boolean {
  if (retryAfterMs !== undefined) return true;
  return ENGINE_GONE.has(code) && phase !== 'idle' && phase !== 'failed';
}

function retryHeaders({ retryAfterMs }: TempoError): Record<string, string> {
  if (retryAfterMs === undefined) return {};
  return {
    'retry-after-ms': String(retryAfterMs),
    'retry-after': String(Math.ceil(retryAfterMs / 1000)),
  };
}

/** Whether a server takes images only it knows. */
function refusesImages({ code, param = '' }: TempoError, body: object): boolean {
  if (code !== 'unsupported') return false; // an image that is no good is the caller's
  const [, index] = /^messages\[(\d+)\]\.content/.exec(param) ?? [];
  if (index === undefined || !('messages' in body) || !Array.isArray(body.messages)) return false;
  return Array.isArray(body.messages[Number(index)]?.content);
}

import type { ChatCompletionRequestBase, ResumableGenerationConfig } from '../chat-types';
import { WebLLMError } from '../errors';

/** How a request's generation is to be kept; undefined where it is not. Throws what cannot be kept. */
export function resumableConfig({
  extra_body: extra,
  n,
}: Pick<ChatCompletionRequestBase, 'extra_body' | 'n'>): ResumableGenerationConfig | undefined {
  const config = extra?.resumable ?? undefined;
  if (config?.enabled !== true) return undefined;
  const { sessionId = 'x', durabilityMode: mode = 'exact' } = config;
  if ((n ?? 1) > 1) throw wrong('n', 'One answer can be kept: leave n out.');
  if (typeof sessionId !== 'string' || sessionId === '') {
    throw wrong('extra_body.resumable.sessionId', 'A session is named by a string, not empty.');
  }
  if (mode !== 'exact' && mode !== 'relaxed') {
    throw wrong('extra_body.resumable.durabilityMode', 'durabilityMode is exact or relaxed.');
  }
  return config;
}

function wrong(param: string, sentence: string): WebLLMError {
  return new WebLLMError('ConfigValueError', 'invalid_request', sentence, { param });
}

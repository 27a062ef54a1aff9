import { TempoError, type TempoErrorCode } from '../client';

/** The platform's names for what goes wrong (webmachinelearning.github.io/prompt-api/#language-model-errors). */
const NAMES: Partial<Record<TempoErrorCode, string>> = {
  aborted: 'AbortError',
  timeout: 'TimeoutError',
  network: 'NetworkError',
  not_loaded: 'InvalidStateError',
  disposed: 'InvalidStateError',
  load_in_progress: 'InvalidStateError',
  invalid_schema: 'NotSupportedError',
  unknown_model: 'NotSupportedError',
  webgpu_unavailable: 'NotSupportedError',
  shader_f16_unavailable: 'NotSupportedError',
  unsupported: 'NotSupportedError',
};

/** The caller's fault. */
const TYPE_ERRORS = new Set<TempoErrorCode>(['invalid_request', 'invalid_slo']);

/** A TempoError as the platform has it, with itself as `cause`. What is none is returned as it is. */
export function platformError(thrown: unknown): unknown {
  if (!(thrown instanceof TempoError)) return thrown;
  if (TYPE_ERRORS.has(thrown.code)) return new TypeError(thrown.message, { cause: thrown });
  const exception =
    thrown.code === 'context_length_exceeded'
      ? new QuotaExceededError(thrown.message) // so far beyond it that nobody counted
      : new DOMException(thrown.message, NAMES[thrown.code] ?? 'OperationError');
  return Object.defineProperty(exception, 'cause', { value: thrown, configurable: true });
}

/** As Web IDL has it, where the browser does not yet. */
class OwnQuotaExceededError extends DOMException {
  readonly requested: number | null;
  readonly quota: number | null;

  constructor(message = '', { requested, quota }: { requested?: number; quota?: number } = {}) {
    super(message, 'QuotaExceededError');
    this.requested = requested ?? null;
    this.quota = quota ?? null;
  }
}

interface Platform {
  QuotaExceededError?: typeof OwnQuotaExceededError;
}

export const QuotaExceededError =
  (globalThis as Platform).QuotaExceededError ?? OwnQuotaExceededError;

/** Images are expected of a model that reads text only. */
export function noImages(): DOMException {
  const sentence = 'The model takes no images. Leave them out, or load one that sees.';
  return new DOMException(sentence, 'NotSupportedError');
}

/** What is asked for does not fit, whatever is dropped. Both in tokens. */
export function quotaExceeded(requested: number, quota: number): DOMException {
  const sentence = `The prompt takes ${requested} tokens of the context with what must stay; there is room for ${quota}. Shorten it.`;
  return new QuotaExceededError(sentence, { requested, quota });
}

/**
 * WebLLM's names for what goes wrong. Its classes are not part of its API, so code that tells errors apart
 * does it by `name`; here each is a TempoError, with a code and a sentence of ours, by that name.
 */
import { TempoError, type TempoErrorCode } from '../client';

/** A TempoError by WebLLM's name. */
export class WebLLMError extends TempoError {
  constructor(
    name: string,
    code: TempoErrorCode,
    message: string,
    details?: { param?: string; cause?: unknown; retryAfterMs?: number },
  ) {
    super(code, message, details);
    this.name = name;
  }
}

/** WebLLM's names by our codes, in a load and in a request. */
const LOAD_NAMES: Partial<Record<TempoErrorCode, string>> = {
  unknown_model: 'ModelNotFoundError',
  shader_f16_unavailable: 'ShaderF16SupportError',
  webgpu_unavailable: 'WebGPUNotAvailableError',
  out_of_memory: 'DeviceLostError',
  engine_lost: 'DeviceLostError',
};
const REQUEST_NAMES: Partial<Record<TempoErrorCode, string>> = {
  not_loaded: 'ModelNotLoadedError',
  context_length_exceeded: 'ContextWindowSizeExceededError',
  unknown_model: 'SpecifiedModelNotFoundError',
  engine_lost: 'DeviceLostError',
};

/** WebLLM's names by the field that is wrong. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  seed: 'SeedTypeError',
  temperature: 'NonNegativeError',
  top_p: 'RangeError',
  frequency_penalty: 'RangeError',
  presence_penalty: 'RangeError',
  repetition_penalty: 'MinValueError',
  max_tokens: 'MinValueError',
  top_logprobs: 'DependencyError',
  stream_options: 'InvalidStreamOptionsError',
  suffix: 'UnsupportedFieldsError',
  best_of: 'UnsupportedFieldsError',
  input: 'EmbeddingInputEmptyError',
};

/** What a load threw, by WebLLM's name where it has one. */
export function loadError(thrown: unknown): TempoError {
  const error = TempoError.from(thrown);
  return named(error, LOAD_NAMES[error.code]);
}

/** What a request threw, by WebLLM's name where it has one. */
export function requestError(thrown: unknown): TempoError {
  const error = TempoError.from(thrown);
  return named(error, REQUEST_NAMES[error.code] ?? fieldName(error));
}

function fieldName({ code, param = '' }: TempoError): string | undefined {
  if (code !== 'invalid_request') return undefined;
  return param.startsWith('logit_bias') ? 'RangeError' : FIELD_NAMES[param];
}

function named(error: TempoError, name: string | undefined): TempoError {
  if (name === undefined || error instanceof WebLLMError) return error;
  const { code, message, param, retryAfterMs } = error;
  return new WebLLMError(name, code, message, { param, retryAfterMs, cause: error });
}

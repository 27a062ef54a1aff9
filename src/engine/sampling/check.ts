import { type SamplingParams, TempoError } from '../../scheduler';

/** Most of the likeliest tokens that a request may ask to see (the OpenAI API's limit). */
export const MAX_TOP_LOGPROBS = 20;

/**
 * Throws invalid_request, naming the field, where a value is outside its range: those of the OpenAI
 * API, which WebLLM checks too (`postInitAndCheckGenerationConfigValues`).
 */
export function checkSampling(params: SamplingParams, vocabSize: number): void {
  inRange('temperature', params.temperature, 0, Number.MAX_VALUE, 'a number of 0 or more');
  if (!(params.topP > 0 && params.topP <= 1)) reject('top_p', params.topP, 'above 0 and at most 1');
  const { topK = 1 } = params;
  if (!(Number.isInteger(topK) && topK >= 1)) {
    reject('top_k', topK, 'a whole number of at least 1');
  }
  const { frequencyPenalty = 0, presencePenalty = 0, repetitionPenalty = 1 } = params;
  inRange('frequency_penalty', frequencyPenalty, -2, 2);
  inRange('presence_penalty', presencePenalty, -2, 2);
  if (!(repetitionPenalty > 0 && repetitionPenalty < Infinity)) {
    reject('repetition_penalty', repetitionPenalty, 'above 0');
  }
  if (params.topLogprobs !== undefined) {
    inRange('top_logprobs', params.topLogprobs, 0, MAX_TOP_LOGPROBS);
    if (!Number.isInteger(params.topLogprobs)) {
      reject('top_logprobs', params.topLogprobs, 'a whole number');
    }
  }
  if (!Number.isInteger(params.seed)) reject('seed', params.seed, 'a whole number');
  for (const [key, bias] of Object.entries(params.logitBias ?? {})) {
    const token = Number(key);
    if (!Number.isInteger(token) || token < 0 || token >= vocabSize) {
      throw new TempoError(
        'invalid_request',
        `logit_bias names token ${key}; this model's tokens are 0 to ${vocabSize - 1}.`,
        { param: `logit_bias[${key}]` },
      );
    }
    inRange(`logit_bias[${key}]`, bias, -100, 100);
  }
}

function inRange(param: string, value: number, min: number, max: number, words?: string): void {
  if (!(value >= min && value <= max)) reject(param, value, words ?? `between ${min} and ${max}`);
}

function reject(param: string, value: unknown, words: string): never {
  throw new TempoError('invalid_request', `${param} must be ${words}; it is ${value}.`, { param });
}

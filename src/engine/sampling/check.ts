import { type SamplingParams, TempoError } from '../../scheduler';

/** The numbers that a sampling parameter may be; `words` say so: `between 0 and 2`. */
export interface Range {
  readonly words: string;
  holds(value: number): boolean;
}

const between = (min: number, max: number): Range => ({
  words: `between ${min} and ${max}`,
  holds: (value) => value >= min && value <= max,
});

/** The OpenAI API's ranges, by its names; WebLLM's for what OpenAI's lacks. */
export const RANGES = {
  temperature: between(0, 2),
  top_p: { words: 'above 0 and at most 1', holds: (value) => value > 0 && value <= 1 },
  top_k: {
    words: 'a whole number of at least 1',
    holds: (value) => Number.isInteger(value) && value >= 1,
  },
  frequency_penalty: between(-2, 2),
  presence_penalty: between(-2, 2),
  repetition_penalty: {
    words: 'above 0 and at most 10',
    holds: (value) => value > 0 && value <= 10,
  },
  logit_bias: between(-100, 100),
  top_logprobs: {
    words: 'a whole number from 0 to 20',
    holds: (value) => Number.isInteger(value) && value >= 0 && value <= 20,
  },
  seed: { words: 'a whole number', holds: Number.isSafeInteger },
} satisfies Record<string, Range>;

/**
 * Throws invalid_request, naming the field, where a value is outside its range. A request's own values
 * have been read by then; what a model's configuration says where it is silent has not.
 */
export function checkSampling(params: SamplingParams, vocabSize: number): void {
  inRange('temperature', params.temperature, RANGES.temperature);
  inRange('top_p', params.topP, RANGES.top_p);
  inRange('top_k', params.topK, RANGES.top_k);
  inRange('frequency_penalty', params.frequencyPenalty, RANGES.frequency_penalty);
  inRange('presence_penalty', params.presencePenalty, RANGES.presence_penalty);
  inRange('repetition_penalty', params.repetitionPenalty, RANGES.repetition_penalty);
  inRange('top_logprobs', params.topLogprobs, RANGES.top_logprobs);
  inRange('seed', params.seed, RANGES.seed);
  for (const [key, bias] of Object.entries(params.logitBias ?? {})) {
    const token = Number(key);
    if (!Number.isInteger(token) || token < 0 || token >= vocabSize) {
      throw new TempoError(
        'invalid_request',
        `logit_bias names token ${key}; this model's tokens are 0 to ${vocabSize - 1}.`,
        { param: `logit_bias[${key}]` },
      );
    }
    inRange(`logit_bias[${key}]`, bias, RANGES.logit_bias);
  }
}

function inRange(param: string, value: number | undefined, { words, holds }: Range): void {
  if (value === undefined || holds(value)) return;
  throw new TempoError('invalid_request', `${param} must be ${words}; it is ${value}.`, { param });
}

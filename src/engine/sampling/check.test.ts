import { expect, it } from 'vitest';
import type { SamplingParams } from '../../scheduler';
import { checkSampling } from './check';

const FINE: SamplingParams = { temperature: 0.7, topP: 0.9, seed: 1 };

it('sampling within its ranges passes', () => {
  checkSampling(FINE, 100);
  checkSampling(
    {
      ...FINE,
      temperature: 0,
      topP: 1,
      topK: 1,
      frequencyPenalty: -2,
      presencePenalty: 2,
      repetitionPenalty: 0.5,
      topLogprobs: 20,
      logitBias: { 0: -100, 99: 100 },
    },
    100,
  );
});

it.each<[Partial<SamplingParams>, string]>([
  [{ temperature: -0.1 }, 'temperature'],
  [{ temperature: NaN }, 'temperature'],
  [{ topP: 0 }, 'top_p'],
  [{ topP: 1.1 }, 'top_p'],
  [{ topK: 0 }, 'top_k'],
  [{ topK: 2.5 }, 'top_k'],
  [{ frequencyPenalty: 2.1 }, 'frequency_penalty'],
  [{ presencePenalty: -3 }, 'presence_penalty'],
  [{ repetitionPenalty: 0 }, 'repetition_penalty'],
  [{ topLogprobs: 21 }, 'top_logprobs'],
  [{ topLogprobs: 1.5 }, 'top_logprobs'],
  [{ seed: 0.5 }, 'seed'],
  [{ logitBias: { 100: 1 } }, 'logit_bias[100]'],
  [{ logitBias: { [-1]: 1 } }, 'logit_bias[-1]'],
  [{ logitBias: { 5: 101 } }, 'logit_bias[5]'],
  [{ logitBias: { 5: NaN } }, 'logit_bias[5]'],
])('%j is refused, by its name in the API', (params, param) => {
  expect(() => checkSampling({ ...FINE, ...params }, 100)).toThrowError(
    expect.objectContaining({ code: 'invalid_request', param }),
  );
});

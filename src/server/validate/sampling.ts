import { expect, flag, isRecord, list, number, type Reader, text, wholeNumber } from './fields';

const MAX_CHOICES = 128;
const MAX_STOP_STRINGS = 16;
const MAX_STOP_LENGTH = 256;
const MAX_BIASES = 8192;
/** More output tokens than any context window holds: a mistake, not a wish. */
const MAX_TOKENS = 2 ** 31 - 1;

const tokens = wholeNumber(1, MAX_TOKENS);
const penalty = number('between -2 and 2', (n) => n >= -2 && n <= 2);

const logitBias: Reader<Record<string, number>> = (value, at) => {
  expect(isRecord(value), at, `${at} must map token ids to numbers`, value);
  const entries = Object.entries(value);
  expect(entries.length <= MAX_BIASES, at, `${at} must be of at most ${MAX_BIASES} tokens`, value);
  const biases: Record<string, number> = {};
  for (const [token, bias] of entries) {
    const param = `${at}[${token}]`;
    expect(/^\d+$/.test(token), param, `${param} must name a token by its id`, token);
    const holds = typeof bias === 'number' && bias >= -100 && bias <= 100;
    expect(holds, param, `${param} must be between -100 and 100`, bias);
    biases[token] = bias;
  }
  return biases;
};

const stop: Reader<string[]> = (value, at, reading) => {
  const isTexts = typeof value === 'string' || Array.isArray(value);
  expect(isTexts, at, `${at} must be a string or a list of strings`, value);
  const stops = typeof value === 'string' ? [value] : list(text)(value, at, reading);
  const sentence = `${at} must be up to ${MAX_STOP_STRINGS} strings of 1 to ${MAX_STOP_LENGTH} characters`;
  const fits = ({ length }: string) => length > 0 && length <= MAX_STOP_LENGTH;
  expect(stops.length <= MAX_STOP_STRINGS && stops.every(fits), at, sentence, value);
  return stops;
};

/** How tokens are drawn, and how many: the same for every kind of completion. Ranges are OpenAI's. */
export const SAMPLING = {
  max_tokens: tokens,
  max_completion_tokens: tokens,
  temperature: number('between 0 and 2', (n) => n >= 0 && n <= 2),
  top_p: number('above 0 and at most 1', (n) => n > 0 && n <= 1),
  top_k: wholeNumber(1),
  frequency_penalty: penalty,
  presence_penalty: penalty,
  repetition_penalty: number('above 0 and at most 10', (n) => n > 0 && n <= 10),
  logit_bias: logitBias,
  n: wholeNumber(1, MAX_CHOICES),
  seed: number('a whole number', Number.isSafeInteger),
  stop,
  ignore_eos: flag,
};

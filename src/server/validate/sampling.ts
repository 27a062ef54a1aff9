import { RANGES } from '../../engine/sampling/check';
import { expect, flag, inRange, isRecord, list, type Reader, text, wholeNumber } from './fields';

const MAX_CHOICES = 128;
const MAX_STOP_STRINGS = 16;
const MAX_STOP_LENGTH = 256;
const MAX_BIASES = 8192;
/** More output tokens than any context window holds: a mistake, not a wish. */
const MAX_TOKENS = 2 ** 31 - 1;

const tokens = wholeNumber(1, MAX_TOKENS);

const logitBias: Reader<Record<string, number>> = (value, at, reading) => {
  expect(isRecord(value), at, `${at} must map token ids to numbers`, value);
  const entries = Object.entries(value);
  expect(entries.length <= MAX_BIASES, at, `${at} must be of at most ${MAX_BIASES} tokens`, value);
  const biases: Record<string, number> = {};
  for (const [token, bias] of entries) {
    const param = `${at}[${token}]`;
    expect(/^\d+$/.test(token), param, `${param} must name a token by its id`, token);
    biases[token] = inRange(RANGES.logit_bias)(bias, param, reading);
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

/** How tokens are drawn, and how many: the same for every kind of completion. */
export const SAMPLING = {
  max_tokens: tokens,
  max_completion_tokens: tokens,
  temperature: inRange(RANGES.temperature),
  top_p: inRange(RANGES.top_p),
  top_k: inRange(RANGES.top_k),
  frequency_penalty: inRange(RANGES.frequency_penalty),
  presence_penalty: inRange(RANGES.presence_penalty),
  repetition_penalty: inRange(RANGES.repetition_penalty),
  logit_bias: logitBias,
  n: wholeNumber(1, MAX_CHOICES),
  seed: inRange(RANGES.seed),
  stop,
  ignore_eos: flag,
};

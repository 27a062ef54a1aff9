import {
  expect,
  type Fields,
  flag,
  label,
  object,
  type Reader,
  type Reading,
  refused,
  text,
  wholeNumber,
} from './fields';
import { objective } from './objective';
import { IGNORED } from './openai';
import { SAMPLING } from './sampling';
import { streamOptions } from './stream-options';

/** Most of the likeliest tokens that OpenAI's users may ask to see of a text. */
const MAX_LOGPROBS = 5;

const { max_completion_tokens: _, ...sampling } = SAMPLING;

/** One text, or one list of token ids. */
const prompt: Reader<string | number[]> = (value, at) => {
  const isList = Array.isArray(value);
  const isToken = (id: unknown): id is number =>
    typeof id === 'number' && Number.isInteger(id) && id >= 0;
  expect(
    !isList || value.length <= 1 || value.every((one) => typeof one === 'number'),
    at,
    `${at} must be one text; send one request for each, they are served side by side`,
    value,
  );
  const one: unknown = isList && typeof value[0] !== 'number' ? value[0] : value;
  if (typeof one === 'string' && one !== '') return one;
  const holds = Array.isArray(one) && one.length > 0 && one.every(isToken);
  expect(holds, at, `${at} must be a text or a list of token ids, with something in it`, value);
  return one;
};

const TEXT = {
  ...sampling,
  prompt,
  model: text,
  echo: flag,
  stream: flag,
  stream_options: streamOptions,
  logprobs: wholeNumber(0, MAX_LOGPROBS),
  best_of: wholeNumber(1),
  return_token_ids: flag,
  suffix: refused('models here go on with a text and fill no gaps. Leave it out.'),
  user: IGNORED.user,
  slo: objective,
  stage: label,
  simulate: object({ content: text }),
};

/** A text completion request as it was read: checked, and nothing in it that is not heeded. */
export type ReadTextParams = Fields<typeof TEXT, 'prompt'>;

const textCompletion = object(TEXT, ['prompt']);

export function readText(params: unknown, reading: Reading): ReadTextParams {
  const request = textCompletion(params, '', reading);
  expect(
    request.logprobs === undefined || !request.echo,
    'logprobs',
    'logprobs cannot be had with echo: none are computed for the prompt',
    request.logprobs,
  );
  const { n = 1, best_of: candidates = n } = request;
  expect(
    candidates === n,
    'best_of',
    'best_of must be n, or left out: ask for n choices and choose among them',
    candidates,
  );
  return request;
}

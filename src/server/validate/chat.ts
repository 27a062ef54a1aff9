import { RANGES } from '../../engine/sampling/check';
import {
  expect,
  type Fields,
  flag,
  ignored,
  inRange,
  label,
  list,
  object,
  oneOf,
  type Reader,
  type Reading,
  text,
  wholeNumber,
} from './fields';
import { messages } from './messages';
import { objective } from './objective';
import { IGNORED, REFUSED, WEBLLM_IGNORED } from './openai';
import { responseFormat } from './response-format';
import { SAMPLING } from './sampling';
import { simulatedReply } from './simulated-reply';
import { streamOptions } from './stream-options';
import { toolChoice, tools } from './tools';

const effort = oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max');
const effortIgnored = ignored(
  'a model thinks as much as it was taught to. none and minimal switch it off',
);

/** Undefined where the model may think. */
const reasoningEffort: Reader<'none' | undefined> = (value, at, reading) => {
  const wanted = effort(value, at, reading);
  return wanted === 'none' || wanted === 'minimal' ? 'none' : effortIgnored(value, at, reading);
};

const CHAT = {
  ...SAMPLING,
  ...IGNORED,
  ...REFUSED,
  messages,
  model: text,
  stream: flag,
  stream_options: streamOptions,
  logprobs: flag,
  top_logprobs: inRange(RANGES.top_logprobs),
  response_format: responseFormat,
  tools,
  tool_choice: toolChoice,
  parallel_tool_calls: flag,
  continue_final_message: flag,
  separate_reasoning: flag,
  return_token_ids: flag,
  generated_token_ids: list(wholeNumber(0)),
  reasoning_effort: reasoningEffort,
  extra_body: object({ enable_thinking: flag, ...WEBLLM_IGNORED }),
  slo: objective,
  stage: label,
  simulate: simulatedReply,
};

/** A chat request as it was read: checked, and nothing in it that is not heeded. */
export type ReadChatParams = Fields<typeof CHAT, 'messages'>;

const chat = object(CHAT, ['messages']);

export function readChat(params: unknown, reading: Reading): ReadChatParams {
  const request = chat(params, '', reading);
  expect(
    !request.top_logprobs || request.logprobs === true,
    'top_logprobs',
    'top_logprobs needs logprobs: true',
    request.top_logprobs,
  );
  expect(
    !request.generated_token_ids?.length || (request.n ?? 1) === 1,
    'generated_token_ids',
    "generated_token_ids are one answer's: leave n out",
    request.n,
  );
  return request;
}

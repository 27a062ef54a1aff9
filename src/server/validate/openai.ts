/**
 * What the OpenAI API knows and a model in the page has no use for (openai 7.57.0,
 * `ChatCompletionCreateParams`). It is ignored where the answer is what was asked for all the same, and
 * refused where it would silently be another.
 */
import { ignored, isRecord, refused } from './fields';

const isTextOnly = (value: unknown) =>
  Array.isArray(value) && value.every((modality) => modality === 'text');
const isOff = (value: unknown) => value === false;

export const IGNORED = {
  metadata: ignored('nothing is stored here'),
  prediction: ignored('it would only be faster where it holds'),
  prompt_cache_key: ignored('what prompts share is found by itself'),
  prompt_cache_options: ignored('what prompts share is found by itself'),
  prompt_cache_retention: ignored('what prompts share is kept as long as there is room'),
  safety_identifier: ignored('the page has one user'),
  service_tier: ignored(
    'there is one tier. How fast an answer is to be, say with slo',
    (tier) => tier === 'auto' || tier === 'default',
  ),
  store: ignored('nothing is stored here', isOff),
  user: ignored('the page has one user'),
  verbosity: ignored('say in a message how long the answer is to be'),
};

export const REFUSED = {
  audio: refused('the models here do not speak. Leave it out.'),
  function_call: refused('it is the old way to call functions; use tool_choice.'),
  functions: refused(
    "it is the old way to call functions; use tools: [{ type: 'function', function: { name, parameters } }].",
  ),
  modalities: refused('the models here answer in text.', isTextOnly),
  moderation: refused('nothing is moderated here. Leave it out, and moderate the answer yourself.'),
  web_search_options: refused(
    'there is no web search here. Search yourself, or let the model ask for it with a tool.',
  ),
};

/** Of `extra_body`, WebLLM's. */
export const WEBLLM_IGNORED = {
  enable_latency_breakdown: ignored('how the time went is in usage.extra', isOff),
  resumable: ignored(
    'requests outlive a lost device by themselves, and no page',
    (value) => isRecord(value) && value.enabled === false,
  ),
};

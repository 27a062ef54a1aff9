import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { type Checks, equal, failure, matches, ok } from './check';
import { answering, apart, BASE_URL, idle, MODEL, servedAs, stopped, tempo } from './page';

const PARIS = { content: 'It is Paris, of course.' };

const client = new OpenAI({
  apiKey: 'none',
  dangerouslyAllowBrowser: true,
  fetch: tempo.app('responses').fetch,
});

const clientOf = (...replies: Parameters<typeof answering>) =>
  new OpenAI({
    apiKey: 'none',
    baseURL: BASE_URL,
    dangerouslyAllowBrowser: true,
    fetch: answering(...replies),
  });

const weather: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'weather',
  description: 'The weather in a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};

export const openaiResponses: Checks = {
  'create gives an answer, with its usage and how it fared': async () => {
    const response = await clientOf(PARIS).responses.create({
      model: MODEL,
      instructions: 'Answer in a sentence.',
      input: 'What is the capital of France?',
    });
    equal(response.output_text, PARIS.content);
    equal(response.status, 'completed');
    matches(response.usage, { extra: { slo_met: true } });
    const { usage } = response;
    ok(usage && usage.total_tokens === usage.input_tokens + usage.output_tokens, 'no usage');
  },

  'create tells what was cut short': async () => {
    const response = await client.responses.create({
      model: MODEL,
      input: 'Go on.',
      max_output_tokens: 5,
      ...{ ignore_eos: true },
    });
    matches(response, {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { output_tokens: 5 },
    });
  },

  'a stream tells its events in order': async () => {
    const stream = await clientOf(PARIS).responses.create({
      model: MODEL,
      input: 'What is the capital of France?',
      stream: true,
    });
    const types: string[] = [];
    let text = '';
    for await (const event of stream) {
      equal(event.sequence_number, types.length);
      types.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    equal(text, PARIS.content);
    equal(
      types.filter((type, i) => type !== types[i - 1]),
      [
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ],
    );
  },

  'its stream helper comes to the whole, reasoning, words and calls': async () => {
    const stream = clientOf({
      content: '<think>The capital.</think>One moment.',
      tool_calls: [
        { name: 'weather', arguments: { city: 'Paris' } },
        { name: 'weather', arguments: { city: 'Lyon' } },
      ],
    }).responses.stream({
      model: MODEL,
      input: 'The weather in Paris and Lyon?',
      tools: [weather],
    });
    const response = await stream.finalResponse();
    equal(
      response.output.map(({ type }) => type),
      ['reasoning', 'message', 'function_call', 'function_call'],
    );
    equal(response.output_text, 'One moment.');
    matches(response.output[0], { content: [{ type: 'reasoning_text', text: 'The capital.' }] });
    ok((response.usage?.output_tokens_details.reasoning_tokens ?? 0) > 1, 'no reasoning tokens');
    const calls = response.output.flatMap((item) => (item.type === 'function_call' ? item : []));
    equal(
      calls.map((call) => call.arguments),
      ['{"city":"Paris"}', '{"city":"Lyon"}'],
    );
  },

  'reasoning comes as a summary where that is asked for': async () => {
    const response = await clientOf({ content: '<think>Hm.</think>Paris.' }).responses.create({
      model: MODEL,
      input: 'What is the capital of France?',
      reasoning: { effort: 'medium', summary: 'auto' },
    });
    matches(response.output[0], { summary: [{ type: 'summary_text', text: 'Hm.' }] });
  },

  'parse reads an answer by a zod schema': async () => {
    const paris = { city: 'Paris', rivers: ['Seine'] };
    const response = await clientOf({ content: JSON.stringify(paris) }).responses.parse({
      model: MODEL,
      input: 'What is the capital of France?',
      text: {
        format: zodTextFormat(z.object({ city: z.string(), rivers: z.array(z.string()) }), 'city'),
      },
    });
    equal(response.output_parsed, paris);
  },

  'a conversation goes on with its outputs, calls and their results': async () => {
    const mine = clientOf(
      { content: 'I look.', tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
      { content: 'It rains in Oslo.' },
    );
    const input: OpenAI.Responses.ResponseInput = [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'input_text', text: 'Is it raining in Oslo?' }] },
    ];
    const first = await mine.responses.create({ model: MODEL, input, tools: [weather] });
    for (const item of first.output) {
      if (item.type === 'message') input.push(item);
      if (item.type !== 'function_call') continue;
      const output = '{"rain":true}';
      input.push(item, { type: 'function_call_output', call_id: item.call_id, output });
    }
    const second = await mine.responses.create({ model: MODEL, input, tools: [weather] });
    equal(second.output_text, 'It rains in Oslo.');
  },

  'an abort in the middle frees the pages': async () => {
    await apart({}, async (own) => {
      const mine = new OpenAI({ apiKey: 'none', dangerouslyAllowBrowser: true, fetch: own.fetch });
      const body = { model: MODEL, input: 'Go on.', ...{ ignore_eos: true } };
      const stream = await mine.responses.create({ ...body, stream: true });
      for await (const { type } of stream) if (type === 'response.output_text.delta') break;
      await idle(own);
    });
  },

  'a bad request is a BadRequestError with the field’s name': async () => {
    const bad = async (body: object, param: string) => {
      const call = client.responses.create({ model: MODEL, input: 'Hello', ...body });
      const error = await failure(call);
      ok(error instanceof OpenAI.BadRequestError, `${param}: ${error}`);
      equal(error.param, param);
    };
    await bad({ temperature: 9 }, 'temperature');
    await bad({ max_output_tokens: 0 }, 'max_output_tokens');
    await bad({ previous_response_id: 'resp_1' }, 'previous_response_id');
    await bad({ tools: [{ type: 'web_search' }] }, 'tools[0].type');
    await bad({ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0].id');
    await bad({ tools: [weather, weather] }, 'tools[1].name');
  },

  'an error in the middle of a stream is thrown there': async () => {
    await apart({}, async (own) => {
      const mine = new OpenAI({ apiKey: 'none', dangerouslyAllowBrowser: true, fetch: own.fetch });
      const body = { model: MODEL, input: 'Go on.', ...{ ignore_eos: true } };
      const stream = await mine.responses.create({ ...body, stream: true });
      let deltas = 0;
      const read = async () => {
        for await (const { type } of stream) {
          if (type === 'response.output_text.delta' && ++deltas === 3) void own.unload();
        }
      };
      const error = await failure(read());
      ok(error instanceof OpenAI.APIError, `${error}`);
      equal(error.code, 'disposed');
    });
  },

  'an SLO for one call': async () => {
    const body = { model: MODEL, input: 'Go on.', ...{ ignore_eos: true } };
    const call = client.responses.stream({
      ...body,
      ...{ tempo: { slo: { class: 'deadline', ttlt: 9000 } } },
    });
    await servedAs('responses', 'deadline');
    await stopped(call);
    await idle();
  },
};

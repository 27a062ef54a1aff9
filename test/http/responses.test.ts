import { describe, expect, it, vi } from 'vitest';
import type { ChatSubmission, Submission } from '../../src/server/server-types';
import { dataOf, eventsOf, hold, live, openPage, type Page, post } from './page';

vi.spyOn(console, 'warn').mockImplementation(() => {}); // of what is ignored

const WEATHER = {
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

/** What the server is asked, as the client's requests come to it. */
function overhear({ harness }: Page): ChatSubmission['params'][] {
  const heard: ChatSubmission['params'][] = [];
  const { server } = harness;
  const submit = server.submit.bind(server);
  server.submit = (submission: Submission) => {
    if (submission.kind !== 'text') heard.push(submission.params);
    return submit(submission);
  };
  return heard;
}

/** What a body is asked as, of chat. */
async function askedAs(body: object): Promise<ChatSubmission['params']> {
  const page = openPage();
  const heard = overhear(page);
  const response = await post(page.tempo.fetch, 'responses', { input: 'Hello', ...body });
  expect((await response.json()).error).toBeFalsy();
  await page.tempo.dispose();
  return heard[0];
}

async function refusal(body: object): Promise<{ status: number; param: string; message: string }> {
  const { tempo } = openPage();
  const response = await post(tempo.fetch, 'responses', { input: 'Hello', ...body });
  const { error } = await response.json();
  await tempo.dispose();
  return { status: response.status, ...error };
}

describe('a response', () => {
  it('has OpenAI’s shape, and says that it is simulated and how it fared', async () => {
    const { tempo } = openPage();
    const response = await post(tempo.fetch, 'responses', {
      model: 'laptop-gpu',
      instructions: 'Be brief.',
      input: 'Hello',
      metadata: { of: 'mine' },
      temperature: 0.5,
      simulate: { content: 'Good morning.' },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: expect.stringMatching(/^resp_[0-9]+$/),
      object: 'response',
      created_at: expect.closeTo(Date.now() / 1000, -2),
      completed_at: expect.closeTo(Date.now() / 1000, -2),
      status: 'completed',
      model: 'laptop-gpu',
      simulated: true,
      output: [
        {
          id: expect.stringMatching(/^msg_/),
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Good morning.', annotations: [], logprobs: [] }],
        },
      ],
      error: null,
      incomplete_details: null,
      usage: {
        input_tokens: expect.any(Number),
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: expect.any(Number),
        extra: expect.objectContaining({ slo_met: true }),
      },
      store: false,
      background: false,
      previous_response_id: null,
      instructions: 'Be brief.',
      max_output_tokens: null,
      metadata: { of: 'mine' },
      parallel_tool_calls: true,
      reasoning: { effort: null, summary: null },
      temperature: 0.5,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: null,
      truncation: 'disabled',
    });
    await tempo.dispose();
  });

  it('of nothing is an empty text', async () => {
    const { tempo } = openPage();
    const body = { input: 'Hello', simulate: { content: '' } };
    const { output } = await (await post(tempo.fetch, 'responses', body)).json();
    expect(output).toMatchObject([{ type: 'message', content: [{ text: '' }] }]);
    await tempo.dispose();
  });

  it('that is cut short is incomplete, and so is its last item', async () => {
    const { tempo } = openPage();
    const body = { input: 'Hello', max_output_tokens: 4, ignore_eos: true };
    const response = await (await post(tempo.fetch, 'responses', body)).json();
    expect(response).toMatchObject({
      status: 'incomplete',
      completed_at: null,
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ status: 'incomplete' }],
      usage: { output_tokens: 4 },
    });
    const events = await dataOf(await post(tempo.fetch, 'responses', { ...body, stream: true }));
    expect(events.at(-1)).toMatchObject({ type: 'response.incomplete' });
    await tempo.dispose();
  });

  it('is reasoning, then words, then calls', async () => {
    const { tempo } = openPage();
    const body = {
      input: 'The weather?',
      tools: [WEATHER],
      simulate: {
        content: '<think>Two cities.</think>One moment.',
        tool_calls: [
          { name: 'weather', arguments: { city: 'Oslo' } },
          { name: 'weather', arguments: { city: 'Rome' } },
        ],
      },
    };
    const { output } = await (await post(tempo.fetch, 'responses', body)).json();
    expect(output).toMatchObject([
      {
        type: 'reasoning',
        summary: [],
        content: [{ type: 'reasoning_text', text: 'Two cities.' }],
      },
      { type: 'message', content: [{ text: 'One moment.' }] },
      { type: 'function_call', name: 'weather', arguments: '{"city":"Oslo"}', status: 'completed' },
      { type: 'function_call', name: 'weather', arguments: '{"city":"Rome"}', status: 'completed' },
    ]);
    const ids = output.flatMap((item: { id: string; call_id?: string }) => [item.id, item.call_id]);
    expect(new Set(ids.filter(Boolean)).size).toBe(6);
    await tempo.dispose();
  });

  it('gives the reasoning as a summary where one is asked for', async () => {
    const { tempo } = openPage();
    const body = {
      input: 'Hello',
      reasoning: { summary: 'auto' },
      simulate: { content: '<think>Hm.</think>Hi.' },
    };
    const { output } = await (await post(tempo.fetch, 'responses', body)).json();
    expect(output[0]).toEqual({
      id: expect.stringMatching(/^rs_/),
      type: 'reasoning',
      status: 'completed',
      summary: [{ type: 'summary_text', text: 'Hm.' }],
    });
    const events = await dataOf(await post(tempo.fetch, 'responses', { ...body, stream: true }));
    const types = events.map(({ type }) => type).filter((type) => /reasoning/.test(type));
    expect([...new Set(types)]).toEqual([
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
    ]);
    await tempo.dispose();
  });
});

describe('a streamed response', () => {
  const BODY = {
    input: 'The weather?',
    tools: [WEATHER],
    stream: true,
    simulate: {
      content: '<think>Hm, hm.</think>One moment, please.',
      tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }],
    },
  };

  it('tells its events by their names and numbers, in order', async () => {
    const { tempo } = openPage();
    const response = await post(tempo.fetch, 'responses', BODY);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const names: (string | undefined)[] = [];
    for await (const { event, data } of eventsOf(response)) {
      expect(JSON.parse(data)).toMatchObject({ type: event, sequence_number: names.length });
      names.push(event);
    }
    expect(names.filter((name, i) => name !== names[i - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
    await tempo.dispose();
  });

  it('comes to what the whole is: deltas, done events, items and the last event', async () => {
    const { tempo } = openPage();
    const events = await dataOf(await post(tempo.fetch, 'responses', BODY));
    const of = (type: string) => events.filter((event) => event.type === type);
    const { output } = events.at(-1).response;
    expect(of('response.output_item.done').map(({ item }) => item)).toEqual(output);
    expect(of('response.output_item.added').map(({ item }) => item.status)).toEqual(
      output.map(() => 'in_progress'),
    );
    for (const event of events) {
      if (event.item_id !== undefined) expect(event.item_id).toBe(output[event.output_index].id);
    }
    const [reasoning, message, call] = output;
    const deltas = (type: string) => of(type).map(({ delta }) => delta);
    expect(deltas('response.reasoning_text.delta').join('')).toBe(reasoning.content[0].text);
    expect(deltas('response.output_text.delta').join('')).toBe(message.content[0].text);
    expect(deltas('response.output_text.delta').length).toBeGreaterThan(2);
    expect(deltas('response.function_call_arguments.delta').join('')).toBe(call.arguments);
    expect(of('response.output_text.done')[0].text).toBe(message.content[0].text);
    expect(of('response.function_call_arguments.done')[0]).toMatchObject({
      name: 'weather',
      arguments: call.arguments,
    });
    expect(of('response.created')[0].response).toMatchObject({
      id: events.at(-1).response.id,
      model: 'laptop-gpu',
      simulated: true,
      status: 'in_progress',
      output: [],
      usage: null,
    });
    const whole = await post(tempo.fetch, 'responses', { ...BODY, stream: false });
    const texts = (items: object[]) =>
      items.map((item) => ({ ...item, id: undefined, call_id: undefined }));
    expect(texts((await whole.json()).output)).toEqual(texts(output));
    await tempo.dispose();
  });

  it('ends by an error and response.failed where it breaks off', async () => {
    const { tempo } = openPage();
    const response = await post(tempo.fetch, 'responses', {
      input: 'Go on.',
      ignore_eos: true,
      stream: true,
    });
    const events = [];
    for await (const { data } of eventsOf(response)) {
      if (events.push(JSON.parse(data)) === 7) void tempo.unload();
    }
    const [error, failed] = events.slice(-2);
    expect(error).toEqual({
      type: 'error',
      sequence_number: events.length - 2,
      code: 'disposed',
      message: expect.stringMatching(/unloaded/),
      param: null,
    });
    expect(failed).toMatchObject({
      type: 'response.failed',
      sequence_number: events.length - 1,
      response: {
        status: 'failed',
        error: { code: 'disposed' },
        output: [{ type: 'message', status: 'incomplete' }],
      },
    });
    await tempo.dispose();
  });

  it('is aborted by cancelling its body', async () => {
    const page = openPage();
    const release = await hold(page);
    const body = { input: 'Go on.', stream: true };
    const response = await post(page.tempo.fetch, 'responses', body);
    await live(page, 1);
    await response.body?.cancel();
    release();
    await live(page, 0);
    expect(page.harness.device.usedPages).toBe(0);
    await page.tempo.dispose();
  });
});

describe('a response’s request', () => {
  it('is chat’s, by other names', async () => {
    expect(
      await askedAs({
        model: 'laptop-gpu',
        instructions: 'Be brief.',
        max_output_tokens: 30,
        temperature: 0.5,
        top_p: 0.9,
        top_logprobs: 3,
        parallel_tool_calls: false,
        tools: [WEATHER],
        tool_choice: { type: 'function', name: 'weather' },
        seed: 4,
        stage: 'plan',
        simulate: { tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
      }),
    ).toEqual({
      model: 'laptop-gpu',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 30,
      temperature: 0.5,
      top_p: 0.9,
      logprobs: true,
      top_logprobs: 3,
      parallel_tool_calls: false,
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'The weather in a city',
            parameters: WEATHER.parameters,
          },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      seed: 4,
      stage: 'plan',
      simulate: { tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
    });
  });

  it('holds the answer to a format', async () => {
    const schema = { type: 'object', properties: {}, additionalProperties: false };
    const format = { type: 'json_schema', name: 'thing', schema, strict: true };
    expect((await askedAs({ text: { format, verbosity: 'low' } })).response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'thing', schema, strict: true },
    });
    expect((await askedAs({ text: { format: { type: 'json_object' } } })).response_format).toEqual({
      type: 'json_object',
    });
  });

  it('offers only the allowed tools', async () => {
    const clock = { ...WEATHER, name: 'clock' };
    const allowed = { type: 'allowed_tools', mode: 'required', tools: [{ name: 'clock' }] };
    const params = await askedAs({ tools: [WEATHER, clock], tool_choice: allowed });
    expect(params.tool_choice).toEqual({
      type: 'allowed_tools',
      allowed_tools: {
        mode: 'required',
        tools: [{ type: 'function', function: { name: 'clock' } }],
      },
    });
  });

  it('says how much thinking is wanted', async () => {
    expect((await askedAs({ reasoning: { effort: 'none' } })).reasoning_effort).toBe('none');
  });

  it('takes what OpenAI’s clients send along, and null for not set', async () => {
    await askedAs({
      store: true,
      user: 'me',
      safety_identifier: 'me',
      prompt_cache_key: 'k',
      service_tier: 'auto',
      truncation: 'auto',
      max_tool_calls: 4,
      stream_options: { include_obfuscation: false },
      text: { verbosity: 'low' },
      top_k: 4,
      include: ['reasoning.encrypted_content'],
      previous_response_id: null,
      conversation: null,
      background: false,
      instructions: null,
      tools: null,
      tool_choice: null,
      reasoning: null,
      metadata: null,
      max_output_tokens: null,
      temperature: null,
      tempo: null,
    });
  });

  it('carries a conversation: messages, calls, their outputs, reasoning', async () => {
    const { messages } = await askedAs({
      instructions: 'Be brief.',
      input: [
        { role: 'developer', content: 'Speak of the weather.' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Oslo?' }] },
        { type: 'reasoning', id: 'rs_1', summary: [] },
        {
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
        },
        { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' },
        { type: 'function_call', call_id: 'c2', name: 'weather', arguments: '{"city":"Rome"}' },
        { type: 'function_call_output', call_id: 'c1', output: 'rain' },
        {
          type: 'function_call_output',
          call_id: 'c2',
          output: [
            { type: 'input_text', text: 'sun' },
            { type: 'input_text', text: 'and wind' },
          ],
        },
      ],
    });
    const call = (id: string, city: string) => ({
      id,
      type: 'function',
      function: { name: 'weather', arguments: `{"city":"${city}"}` },
    });
    expect(messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: 'Speak of the weather.' },
      { role: 'user', content: [{ type: 'text', text: 'Oslo?' }] },
      {
        role: 'assistant',
        content: [{ type: 'text', text: 'I look.' }],
        tool_calls: [call('c1', 'Oslo'), call('c2', 'Rome')],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      {
        role: 'tool',
        tool_call_id: 'c2',
        content: [
          { type: 'text', text: 'sun' },
          { type: 'text', text: 'and wind' },
        ],
      },
    ]);
  });

  it('may name items by their ids, while they are kept', async () => {
    const page = openPage();
    const heard = overhear(page);
    const { tempo } = page;
    const ask = async (body: object) => (await post(tempo.fetch, 'responses', body)).json();
    const simulate = { content: 'I am Tempo.' };
    const [item] = (await ask({ input: 'Who are you?', simulate })).output;
    const input = [
      { role: 'user', content: 'Who are you?' },
      { type: 'item_reference', id: item.id },
      { role: 'user', content: 'Really?' },
    ];
    await ask({ input });
    expect(heard[1].messages).toEqual([
      { role: 'user', content: 'Who are you?' },
      { role: 'assistant', content: [{ type: 'text', text: 'I am Tempo.' }] },
      { role: 'user', content: 'Really?' },
    ]);
    const [unkept] = (await ask({ input: 'Who?', store: false, simulate })).output;
    const { error } = await ask({ input: [{ type: 'item_reference', id: unkept.id }] });
    expect(error).toMatchObject({ param: 'input[0].id', code: 'invalid_request' });
    await tempo.dispose();
  });

  it.each<[object, string]>([
    [{ input: undefined }, 'input'],
    [{ input: 7 }, 'input'],
    [{ input: [] }, 'input'],
    [{ input: ['Hello'] }, 'input[0]'],
    [{ instructions: 7 }, 'instructions'],
    [{ input: [{ role: 'narrator', content: 'x' }] }, 'input[0].role'],
    [{ instructions: 'x', input: [{ role: 'user', content: 7 }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: ['x'] }] }, 'input[0].content[0]'],
    [{ input: [{ role: 'user', content: [{ type: 'input_file' }] }] }, 'input[0].content[0].type'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
      'input[0].content[0].image_url',
    ],
    [
      {
        input: [
          { role: 'user', content: 'x' },
          { type: 'function_call_output', call_id: 'c9', output: 'x' },
        ],
      },
      'input[1].call_id',
    ],
    [{ input: [{ type: 'web_search_call', id: 'w' }] }, 'input[0].type'],
    [{ max_output_tokens: 0 }, 'max_output_tokens'],
    [{ temperature: 9 }, 'temperature'],
    [{ reasoning: { effort: 'great' } }, 'reasoning.effort'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_text', text: 7 }] }] },
      'input[0].content[0].text',
    ],
    [
      { tools: [WEATHER], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [7] } },
      'tool_choice.tools[0].name',
    ],
    [{ tools: 'weather' }, 'tools'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [{ ...WEATHER, name: 'a b' }] }, 'tools[0].name'],
    [
      { tools: [{ ...WEATHER, parameters: { type: 'object', required: 'city' } }] },
      'tools[0].parameters.required',
    ],
    [{ tools: [WEATHER], tool_choice: { type: 'function', name: 'clock' } }, 'tool_choice.name'],
    [{ tools: [WEATHER], tool_choice: { type: 'mcp' } }, 'tool_choice'],
    [{ text: { format: { type: 'xml' } } }, 'text.format.type'],
    [{ text: 'short' }, 'text'],
    [
      { text: { format: { type: 'json_schema', name: 'x', schema: { format: 'regex' } } } },
      'text.format.schema.format',
    ],
    [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'conversation'],
    [{ background: true }, 'background'],
    [{ prompt: { id: 'p' } }, 'prompt'],
    [{ messages: [] }, 'messages'],
    [{ tempo: { slo: { class: 'soon' } } }, 'tempo.slo.class'],
  ])('is refused by the name of its field: %j', async (body, param) => {
    const { status, message, ...error } = await refusal(body);
    expect({ ...error, status }).toMatchObject({ param, status: 400 });
    expect(message).toMatch(/.{20,}\.$/s);
  });

  it('is refused where the model is another', async () => {
    expect(await refusal({ model: 'gpt-4o' })).toMatchObject({ status: 404, param: 'model' });
  });
});

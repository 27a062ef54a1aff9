import {
  type ChatCompletionParams,
  type Completions,
  createTempo,
  type RequestOptions,
  type SimulatedReply,
  TempoError,
} from 'tempo-llm';
import { TempoServer } from 'tempo-llm/server';
import { afterAll, expect, test } from 'vitest';
import { answer } from './answer';

const tempo = createTempo({
  engine: 'simulated',
  model: 'server-8b-h100', // the fastest device
  host: new TempoServer(),
});
const { completions } = tempo.app('chat').chat;
const messages = [{ role: 'user', content: 'What is the weather in Paris?' }] as const;

afterAll(() => tempo.dispose());

test('an answer', async () => {
  const { choices, simulated } = await completions.create({
    messages,
    simulate: { content: 'It is sunny.' },
  });
  expect(choices[0].message.content).toBe('It is sunny.');
  expect(simulated).toBe(true);
});

/** Completions that answer this, one after the other, whoever asks. */
function scripted(...replies: SimulatedReply[]): Completions {
  const create = (params: ChatCompletionParams, options?: RequestOptions | null) =>
    completions.create({ ...params, simulate: replies.shift() }, options);
  return { create: create as Completions['create'] };
}

test('the weather is looked up where the model asks for it', async () => {
  const asked: string[] = [];
  const weather = async (city: string) => {
    asked.push(city);
    return 'sunny';
  };
  const model = scripted(
    { tool_calls: [{ name: 'get_weather', arguments: { city: 'Paris' } }] },
    { content: 'It is sunny in Paris.' },
  );
  expect(await answer(model, 'Do I need an umbrella?', weather)).toBe('It is sunny in Paris.');
  expect(asked).toEqual(['Paris']);
});

const person = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
  },
  required: ['name', 'age'],
};

test('what is made up has the form that is asked for', async () => {
  const object = await completions.create({
    messages,
    response_format: { type: 'json_schema', json_schema: { name: 'person', schema: person } },
  });
  expect(JSON.parse(object.choices[0].message.content ?? '')).toEqual({
    name: expect.any(String),
    age: expect.any(Number),
  });

  const call = await completions.create({
    messages,
    tools: [{ type: 'function', function: { name: 'save_person', parameters: person } }],
    tool_choice: 'required',
  });
  expect(call.choices[0].finish_reason).toBe('tool_calls');
  expect(call.choices[0].message.tool_calls?.[0].function.name).toBe('save_person');
});

test('the same seed, the same answer', async () => {
  const say = async (seed: number) => {
    const { choices } = await completions.create({ messages, seed, max_tokens: 20 });
    return choices[0].message.content;
  };
  expect(await say(7)).toBe(await say(7));
  expect(await say(8)).not.toBe(await say(7));
});

test('an answer that is cut off, stopped, or late', async () => {
  const short = await completions.create({ messages, max_tokens: 5 });
  expect(short.choices[0].finish_reason).toBe('length');

  const late = completions.create({ messages }, { signal: AbortSignal.timeout(10) });
  await expect(late).rejects.toMatchObject({ name: 'TimeoutError', code: 'timeout' });

  const controller = new AbortController();
  const stopped = completions.create({ messages }, { signal: controller.signal });
  controller.abort();
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError', code: 'aborted' });
});

test('a prompt that is too long', async () => {
  const long = { role: 'user', content: 'and so on '.repeat(20_000) } as const;
  const refused = completions.create({ messages: [long] });
  await expect(refused).rejects.toMatchObject({ code: 'context_length_exceeded', status: 400 });
});

test('a server that is busy', async () => {
  const busy = createTempo({
    engine: 'simulated',
    maxWaiting: 1,
    rejectHopeless: true,
    host: new TempoServer(),
  });
  const { completions } = busy.app('chat').chat;
  const hopeless = completions.create({ messages, slo: { class: 'deadline', ttlt: 1 } });
  await expect(hopeless).rejects.toMatchObject({ code: 'slo_unattainable' });

  const crowd = Array.from({ length: 50 }, () => completions.create({ messages, max_tokens: 5 }));
  const refused = (await Promise.allSettled(crowd)).find(({ status }) => status === 'rejected');
  expect(refused).toMatchObject({
    reason: { code: 'queue_full', retryAfterMs: expect.any(Number) },
  });
  await busy.dispose();
});

test('a model that does not load', async () => {
  const failing = createTempo({ engine: 'simulated', model: 'none', host: new TempoServer() });
  await expect(failing.ready).rejects.toMatchObject({ code: 'unknown_model' });
  expect(failing.state.phase).toBe('failed');
});

test('whatever else may go wrong', async () => {
  const broken: Completions = {
    create: async () => {
      throw new TempoError('engine_lost', 'The GPU was lost.');
    },
  };
  const question = answer(broken, 'Do I need an umbrella?', async () => 'sunny');
  await expect(question).rejects.toMatchObject({ code: 'engine_lost', status: 500 });
});

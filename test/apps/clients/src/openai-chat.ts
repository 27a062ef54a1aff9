import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { type Checks, equal, failure, matches, ok } from './check';
import { answering, apart, BASE_URL, idle, MODEL, servedAs, stopped, tempo } from './page';

const QUESTION = [{ role: 'user' as const, content: 'What is the capital of France?' }];
const PARIS = { content: 'It is Paris, of course.' };

/** As its documentation has it, with a `fetch`. */
const client = new OpenAI({
  apiKey: 'none',
  dangerouslyAllowBrowser: true,
  fetch: tempo.app('openai').fetch,
});

/** A client whose every call is answered so. */
const clientOf = (...replies: Parameters<typeof answering>) =>
  new OpenAI({
    apiKey: 'none',
    baseURL: BASE_URL,
    dangerouslyAllowBrowser: true,
    fetch: answering(...replies),
  });

const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather in a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
    strict: true,
  },
};

export const openaiChat: Checks = {
  'create gives an answer, with its usage and how it fared': async () => {
    const answer = await client.chat.completions.create({
      model: MODEL,
      messages: QUESTION,
      ...{ simulate: PARIS },
    });
    equal(answer.choices[0].message.content, PARIS.content);
    equal(answer.choices[0].finish_reason, 'stop');
    equal(answer.object, 'chat.completion');
    ok(answer._request_id?.startsWith('req_'), 'there is no request id');
    const { usage } = answer;
    ok(usage && usage.total_tokens === usage.prompt_tokens + usage.completion_tokens, 'no usage');
    matches(usage, {
      extra: { slo_met: true },
      completion_tokens_details: { reasoning_tokens: 0 },
    });
  },

  'create takes what its documentation sets, be it null': async () => {
    const answer = await clientOf(PARIS).chat.completions.create({
      model: MODEL,
      messages: QUESTION,
      frequency_penalty: 0.1,
      logit_bias: null,
      logprobs: null,
      max_completion_tokens: 50,
      n: null,
      presence_penalty: null,
      seed: 7,
      stop: null,
      temperature: 0.5,
      top_p: 0.9,
      user: 'somebody',
    });
    equal(answer.choices[0].message.content, PARIS.content);
  },

  'create takes developers, parts, and what only OpenAI’s own service has a use for': async () => {
    const answer = await clientOf(PARIS).chat.completions.create({
      model: MODEL,
      messages: [
        { role: 'developer', content: 'Answer in a sentence.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is the capital' },
            { type: 'text', text: 'of France?' },
          ],
        },
      ],
      metadata: { of: 'mine' },
      parallel_tool_calls: true,
      prompt_cache_key: 'capitals',
      reasoning_effort: 'low',
      response_format: { type: 'text' },
      safety_identifier: 'somebody',
      service_tier: 'auto',
      store: true,
    });
    equal(answer.choices[0].message.content, PARIS.content);
  },

  'a stream comes in chunks, the usage last': async () => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: QUESTION,
      stream: true,
      stream_options: { include_usage: true },
      ...{ simulate: PARIS },
    });
    const texts: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      texts.push(chunk.choices[0]?.delta.content ?? '');
      usage = chunk.usage ?? usage;
    }
    equal(texts.join(''), PARIS.content);
    ok(texts.filter((text) => text !== '').length > 3, 'it came at once');
    ok(usage && usage.completion_tokens > 3, 'there is no usage');
  },

  'its stream helper comes to the whole': async () => {
    const stream = client.chat.completions.stream({
      model: MODEL,
      messages: QUESTION,
      ...{ simulate: PARIS },
    });
    let text = '';
    stream.on('content', (delta) => {
      text += delta;
    });
    const { choices } = await stream.finalChatCompletion();
    equal(choices[0].message.content, PARIS.content);
    equal(text, PARIS.content);
  },

  'several choices stream beside each other': async () => {
    const stream = client.chat.completions.stream({
      model: MODEL,
      messages: QUESTION,
      n: 2,
      max_tokens: 6,
      seed: 3,
      ...{ ignore_eos: true },
    });
    const { choices } = await stream.finalChatCompletion();
    equal(
      choices.map((choice) => [choice.index, choice.finish_reason]),
      [
        [0, 'length'],
        [1, 'length'],
      ],
    );
  },

  'runTools calls the page, and answers with what it said': async () => {
    const asked: string[] = [];
    const runner = clientOf(
      { content: 'One moment.', tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
      { content: 'It rains in Oslo.' },
    ).chat.completions.runTools({
      model: MODEL,
      messages: [{ role: 'user', content: 'Is it raining in Oslo?' }],
      tools: [
        {
          type: 'function',
          function: {
            ...weather.function,
            parse: (text: string) => z.object({ city: z.string() }).parse(JSON.parse(text)),
            function: ({ city }: { city: string }) => {
              asked.push(city);
              return { city, rain: true };
            },
          },
        },
      ],
    });
    equal(await runner.finalContent(), 'It rains in Oslo.');
    equal(asked, ['Oslo']);
  },

  'runTools streams, several calls at once': async () => {
    const asked: string[] = [];
    const runner = clientOf(
      {
        tool_calls: [
          { name: 'weather', arguments: { city: 'Oslo' } },
          { name: 'weather', arguments: { city: 'Rome' } },
        ],
      },
      { content: 'Rain and sun.' },
    ).chat.completions.runTools({
      model: MODEL,
      stream: true,
      messages: [{ role: 'user', content: 'Oslo and Rome?' }],
      tools: [
        {
          type: 'function',
          function: {
            ...weather.function,
            parse: JSON.parse,
            function: ({ city }: { city: string }) => {
              asked.push(city);
              return 'fine';
            },
          },
        },
      ],
    });
    equal(await runner.finalContent(), 'Rain and sun.');
    equal(asked, ['Oslo', 'Rome']);
  },

  'parse reads an answer by a zod schema': async () => {
    const Capital = z.object({
      city: z.string(),
      inhabitants: z.number().int(),
      rivers: z.array(z.string()),
      mayor: z.string().nullable(),
    });
    const paris = { city: 'Paris', inhabitants: 2100000, rivers: ['Seine'], mayor: null };
    const { choices } = await clientOf({
      content: JSON.stringify(paris),
    }).chat.completions.parse({
      model: MODEL,
      messages: QUESTION,
      response_format: zodResponseFormat(Capital, 'capital'),
    });
    equal(choices[0].message.parsed, paris);
  },

  'a stream that is left is aborted, and its pages are free': async () => {
    await apart({}, async (own) => {
      const mine = new OpenAI({ apiKey: 'none', dangerouslyAllowBrowser: true, fetch: own.fetch });
      const endless = { model: MODEL, messages: QUESTION, stream: true as const, ignore_eos: true };
      const left = await mine.chat.completions.create(endless);
      for await (const chunk of left) if (chunk.choices[0]?.delta.content) break;
      await idle(own);
      const cut = await mine.chat.completions.create(endless);
      let chunks = 0;
      for await (const _ of cut) if (++chunks === 4) cut.controller.abort();
      ok(chunks >= 4, 'it ended before');
      await idle(own);
    });
  },

  'a signal aborts an answer in the middle': async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const body = { model: MODEL, messages: QUESTION, ignore_eos: true };
    const call = client.chat.completions.create(body, { signal });
    await servedAs('openai', 'best-effort');
    controller.abort();
    ok((await failure(call)) instanceof OpenAI.APIUserAbortError, 'no APIUserAbortError');
    await idle();
  },

  'a timeout is the client’s own': async () => {
    const body = { model: MODEL, messages: QUESTION, ignore_eos: true };
    const call = client.chat.completions.create(body, { timeout: 200, maxRetries: 0 });
    ok((await failure(call)) instanceof OpenAI.APIConnectionTimeoutError, 'no timeout');
    await idle();
  },

  'a bad request is a BadRequestError with the field’s name': async () => {
    const error = await failure(
      client.chat.completions.create({ model: MODEL, messages: QUESTION, temperature: 9 }),
    );
    ok(error instanceof OpenAI.BadRequestError, `${error}`);
    matches(error, {
      status: 400,
      param: 'temperature',
      code: 'invalid_request',
      type: 'invalid_request_error',
    });
    ok(error.requestID?.startsWith('req_'), 'there is no request id');
  },

  'another model is a NotFoundError': async () => {
    const error = await failure(
      client.chat.completions.create({ model: 'gpt-4o', messages: QUESTION }),
    );
    ok(error instanceof OpenAI.NotFoundError, `${error}`);
    matches(error, { code: 'unknown_model', param: 'model' });
  },

  'a full queue is a RateLimitError, and retries get through': async () => {
    await apart({ maxWaiting: 1 }, async (own) => {
      const mine = new OpenAI({ apiKey: 'none', dangerouslyAllowBrowser: true, fetch: own.fetch });
      const body = { model: MODEL, messages: QUESTION, max_tokens: 20, ...{ ignore_eos: true } };
      const ask = (maxRetries: number) => mine.chat.completions.create(body, { maxRetries });
      const all = await Promise.all(
        Array.from({ length: 24 }, () => ask(0).catch((error: unknown) => error)),
      );
      const refused = all.filter((one) => one instanceof OpenAI.RateLimitError);
      ok(refused.length > 0 && refused.length < all.length, `${refused.length} were refused`);
      for (const error of refused) {
        equal([error.status, error.code, error.type], [429, 'queue_full', 'rate_limit_error']);
        ok(Number(error.headers.get('retry-after-ms')) > 0, 'there is no retry-after-ms');
        ok(Number(error.headers.get('retry-after')) >= 1, 'there is no retry-after');
      }
      await Promise.all(Array.from({ length: 6 }, () => ask(20)));
    });
  },

  'an error in the middle of a stream is thrown there': async () => {
    await apart({}, async (own) => {
      const mine = new OpenAI({ apiKey: 'none', dangerouslyAllowBrowser: true, fetch: own.fetch });
      const body = { model: MODEL, messages: QUESTION, ...{ ignore_eos: true } };
      const stream = await mine.chat.completions.create({ ...body, stream: true });
      let chunks = 0;
      const read = async () => {
        for await (const _ of stream) if (++chunks === 3) void own.unload();
      };
      const error = await failure(read());
      ok(error instanceof OpenAI.APIError, `${error}`);
      equal(error.code, 'disposed');
      ok(chunks >= 3, 'nothing came before');
    });
  },

  'what is in vain is not tried again': async () => {
    let calls = 0;
    const mine = new OpenAI({
      apiKey: 'none',
      dangerouslyAllowBrowser: true,
      fetch: (input, init) => {
        calls++;
        return tempo.fetch(input, init);
      },
      defaultHeaders: { 'x-tempo-program': 'none' },
    });
    const error = await failure(mine.chat.completions.create({ model: MODEL, messages: QUESTION }));
    ok(error instanceof OpenAI.ConflictError, `${error}`);
    equal(calls, 1);
  },

  'an SLO for one call': async () => {
    const body = { model: MODEL, messages: QUESTION, ignore_eos: true };
    const tempoField = { slo: { class: 'deadline', ttlt: 9000 }, stage: 'answer' };
    const call = client.chat.completions.stream({ ...body, ...{ tempo: tempoField } });
    await servedAs('openai', 'deadline');
    await stopped(call);
    const headers = { 'x-tempo-slo': JSON.stringify({ class: 'latency', ttft: 800, tbt: 80 }) };
    const other = client.chat.completions.stream(body, { headers });
    await servedAs('openai', 'latency');
    await stopped(other);
    await idle();
  },

  'an SLO and an app for one client': async () => {
    const mine = new OpenAI({
      apiKey: 'none',
      dangerouslyAllowBrowser: true,
      fetch: tempo.fetch,
      defaultHeaders: {
        'x-tempo-app': 'reader',
        'x-tempo-slo': JSON.stringify({ class: 'latency', ttft: 900, tbt: 90 }),
      },
    });
    const body = { model: MODEL, messages: QUESTION, ignore_eos: true };
    const call = mine.chat.completions.stream(body);
    await servedAs('reader', 'latency');
    await stopped(call);
    await idle();
  },

  'a bad SLO names the place that it came from': async () => {
    const body = { model: MODEL, messages: QUESTION };
    const headers = { 'x-tempo-slo': JSON.stringify({ class: 'latency', ttft: -1, tbt: 80 }) };
    const error = await failure(client.chat.completions.create(body, { headers }));
    ok(error instanceof OpenAI.BadRequestError, `${error}`);
    matches(error, { code: 'invalid_slo', param: 'x-tempo-slo.ttft' });
  },

  'calls of a program share its deadline': async () => {
    const program = tempo.program({ app: 'agent', deadline: 30_000 });
    const mine = new OpenAI({
      apiKey: 'none',
      dangerouslyAllowBrowser: true,
      fetch: program.fetch,
    });
    const body = { model: MODEL, messages: QUESTION, ...{ simulate: PARIS } };
    await mine.chat.completions.create(body);
    const headers = { 'x-tempo-program': program.id };
    await client.chat.completions.create(body, { headers });
    matches(await program.end(), { calls: 2, met: true });
    const error = await failure(client.chat.completions.create(body, { headers }));
    ok(error instanceof OpenAI.ConflictError, `${error}`);
    matches(error, { code: 'program_ended', param: 'x-tempo-program' });
  },

  'a text is gone on with, whole and streamed': async () => {
    const body = { model: MODEL, prompt: 'Once upon a time', max_tokens: 20 };
    const mine = clientOf({ content: ' there was a page.' });
    const whole = await mine.completions.create({ ...body, echo: true, best_of: 1 });
    equal(whole.choices[0].text, 'Once upon a time there was a page.');
    equal(whole.object, 'text_completion');
    const stream = await mine.completions.create({ ...body, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? '';
    equal(text, ' there was a page.');
    const error = await failure(mine.completions.create({ ...body, suffix: 'The end.' }));
    ok(error instanceof OpenAI.BadRequestError, `${error}`);
    equal(error.param, 'suffix');
  },

  'embeddings are lists of numbers': async () => {
    await apart({ embeddingModels: ['little'] }, async (own) => {
      const mine = new OpenAI({ apiKey: 'none', dangerouslyAllowBrowser: true, fetch: own.fetch });
      const input = ['the tide comes in', 'the tide goes out'];
      const { data, usage } = await mine.embeddings.create({ model: 'little', input });
      equal(data.length, 2);
      const length = Math.hypot(...data[0].embedding);
      ok(Math.abs(length - 1) < 1e-3, `its length is ${length}`);
      ok(usage.prompt_tokens > 3, 'there is no usage');
      const error = await failure(mine.embeddings.create({ model: 'other', input }));
      ok(error instanceof OpenAI.NotFoundError, `${error}`);
    });
  },

  'models.list and models.retrieve tell the loaded model': async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    equal(ids, [MODEL]);
    equal((await client.models.retrieve(MODEL)).id, MODEL);
    ok(
      (await failure(client.models.retrieve('gpt-4o'))) instanceof OpenAI.NotFoundError,
      'there is another',
    );
  },

  'what is not there is a NotFoundError': async () => {
    const error = await failure(client.files.list());
    ok(error instanceof OpenAI.NotFoundError, `${error}`);
    equal(error.code, 'unknown_url');
  },
};

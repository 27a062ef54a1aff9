import {
  APICallError,
  InvalidArgumentError,
  type LanguageModelV4CallOptions,
  type LanguageModelV4Content,
  type LanguageModelV4FilePart,
  type LanguageModelV4StreamPart,
  NoSuchModelError,
  type ProviderV4,
  UnsupportedFunctionalityError,
} from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import {
  createTempoProvider,
  type TempoProvider,
  type TempoProviderOptions,
  type TempoProviderSettings,
} from '../src/ai-sdk';
import { createTempo, type LoadChoice, type Tempo, TempoError } from '../src/client';
import { dataUrl, picture } from '../src/engine/testing/png';
import { Harness, type HarnessOptions } from '../src/server/testing/harness';

interface Started {
  tempo: Tempo;
  harness: Harness;
  provider: TempoProvider;
}

/** The provider on a real server, in virtual time. */
function start(
  settings?: TempoProviderSettings,
  { choice, ...options }: HarnessOptions & { choice?: Partial<LoadChoice> } = {},
): Started {
  const harness = new Harness(options);
  const tempo = createTempo({ ...choice, engine: 'simulated', host: harness.server });
  return { tempo, harness, provider: createTempoProvider(tempo, settings) };
}

type Given = Partial<LanguageModelV4CallOptions> & { tempo?: TempoProviderOptions };

function call({ tempo, ...options }: Given = {}): LanguageModelV4CallOptions {
  return {
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    ...(tempo === undefined ? {} : { providerOptions: { tempo } }),
    ...options,
  };
}

/** A question about an image. */
const looking = (data: LanguageModelV4FilePart['data'], mediaType = 'image/png') =>
  call({
    prompt: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'file', mediaType, data },
        ],
      },
    ],
  });

const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

async function partsOf(stream: ReadableStream<LanguageModelV4StreamPart>) {
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const failure = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

/** A request that runs until it is stopped. */
const endless = { ignore_eos: true } satisfies TempoProviderOptions;

const WEATHER = {
  type: 'function' as const,
  name: 'weather',
  description: 'Tells the weather.',
  inputSchema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object' as const,
    properties: { city: { type: 'string' as const } },
    required: ['city'],
  },
};

const PERSON = {
  type: 'object' as const,
  properties: { name: { type: 'string' as const }, age: { type: 'integer' as const } },
  required: ['name', 'age'],
  additionalProperties: false,
};

describe('the provider', () => {
  it('is one of the AI SDK’s specification V4', async () => {
    const { provider, tempo } = start();
    const asProvider: ProviderV4 = provider;
    expect(asProvider.specificationVersion).toBe('v4');
    expect(provider('laptop-gpu')).toMatchObject({
      specificationVersion: 'v4',
      provider: 'tempo.chat',
      modelId: 'laptop-gpu',
      supportedUrls: { 'image/*': [expect.any(RegExp)] },
    });
    expect(asProvider.languageModel('laptop-gpu').modelId).toBe('laptop-gpu');
    expect(() => provider.imageModel('x')).toThrowError(NoSuchModelError);
    await tempo.dispose();
  });

  it('without an id means the model that is loaded', async () => {
    const { provider, tempo } = start();
    const models = [provider(), provider(null), provider(''), provider.languageModel()];
    expect(models.map(({ modelId }) => modelId)).toEqual(Array(4).fill('default'));
    await tempo.ready;
    expect(models.map(({ modelId }) => modelId)).toEqual(Array(4).fill('laptop-gpu'));
    const { request } = await models[0].doGenerate(call());
    expect(request?.body).not.toHaveProperty('model');
    await tempo.dispose();
  });

  it('of a model that is not loaded fails with NoSuchModelError', async () => {
    const { provider, tempo } = start();
    const thrown = await failure(provider('other').doGenerate(call()));
    expect(thrown).toBeInstanceOf(NoSuchModelError);
    expect(thrown).toMatchObject({ modelId: 'other', modelType: 'languageModel' });
    expect(String(thrown)).toContain('The loaded model is "laptop-gpu"');
    await tempo.dispose();
  });

  it('accounts its calls to its app, whose objective it sets', async () => {
    const slo = { class: 'latency', ttft: 800, tbt: 80 } as const;
    const { provider, tempo, harness } = start({ app: 'assistant', slo });
    expect(tempo.app('assistant').slo).toEqual(slo);
    const { stream } = await provider().doStream(call({ tempo: endless }));
    const [live] = (await harness.snapshot()).requests;
    expect(live).toMatchObject({ app: 'assistant', class: 'latency' });
    await stream.cancel();
    await tempo.dispose();
  });

  it('leaves an app’s objective alone where it brings none', async () => {
    const { tempo } = start();
    const slo = { class: 'deadline', ttlt: 5000 } as const;
    tempo.app('chat', { slo });
    createTempoProvider(tempo, { app: 'chat', slo: null });
    expect(tempo.app('chat').slo).toEqual(slo);
    await tempo.dispose();
  });

  it.each([
    ['tempo', undefined, {}],
    ['tempo', {}, {}],
    ['settings.apps', 'a Tempo', { apps: 'chat' }],
    ['settings.program', 'a Tempo', { program: 'p' }],
  ])('refuses a wrong %s at once', async (argument, given, settings) => {
    const { tempo } = start();
    const create = createTempoProvider as (tempo: unknown, settings: unknown) => TempoProvider;
    expect(() => create(given === 'a Tempo' ? tempo : given, settings)).toThrowError(
      expect.objectContaining({ name: 'AI_InvalidArgumentError', argument }),
    );
    await tempo.dispose();
  });
});

describe('an answer', () => {
  it('tells its words, its reason to end, what it took and how it fared', async () => {
    const { provider, tempo } = start();
    const answer = await provider().doGenerate(
      call({ tempo: { simulate: { content: 'Good morning.' } } }),
    );
    expect(answer.content).toEqual([{ type: 'text', text: 'Good morning.' }]);
    expect(answer.finishReason).toEqual({ unified: 'stop', raw: 'stop' });
    expect(answer.warnings).toEqual([]);
    const { usage } = answer;
    expect(usage.inputTokens.total).toBeGreaterThan(0);
    expect(usage.outputTokens).toEqual({
      total: usage.outputTokens.total,
      text: usage.outputTokens.total,
      reasoning: 0,
    });
    expect(usage.raw).toMatchObject({ completion_tokens: usage.outputTokens.total });
    expect(answer.providerMetadata?.tempo).toEqual({
      queued_ms: expect.any(Number),
      ttft_ms: expect.any(Number),
      tbt_ms: expect.any(Number),
      ttlt_ms: expect.any(Number),
      slo_met: true,
      service_gain: expect.any(Number),
      preemptions: 0,
      simulated: true,
    });
    expect(answer.response).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      modelId: 'laptop-gpu',
      timestamp: expect.any(Date),
      body: { object: 'chat.completion' },
    });
    const seconds = Number(answer.response?.timestamp) / 1000;
    expect(seconds).toBeCloseTo(Date.now() / 1000, -2);
    await tempo.dispose();
  });

  it('tells what of its prompt was computed before', async () => {
    const { provider, tempo } = start();
    const long = 'A sentence that is long enough to be kept. '.repeat(20);
    const prompt: LanguageModelV4CallOptions['prompt'] = [
      { role: 'user', content: [{ type: 'text', text: long }] },
    ];
    await provider().doGenerate(call({ prompt, maxOutputTokens: 2 }));
    const { usage } = await provider().doGenerate(call({ prompt, maxOutputTokens: 2 }));
    const { total = 0, noCache, cacheRead = 0, cacheWrite } = usage.inputTokens;
    expect(cacheRead).toBeGreaterThan(0);
    expect(noCache).toBe(total - cacheRead);
    expect(cacheWrite).toBeUndefined();
    await tempo.dispose();
  });

  it('cut off at its length says so', async () => {
    const { provider, tempo } = start();
    const answer = await provider().doGenerate(call({ maxOutputTokens: 4 }));
    expect(answer.finishReason).toEqual({ unified: 'length', raw: 'length' });
    expect(answer.usage.outputTokens.total).toBe(4);
    await tempo.dispose();
  });
});

describe('a request', () => {
  const bodyOf = async (options: Given) => {
    const { provider, tempo } = start();
    const { request, warnings } = await provider().doGenerate(call(options));
    await tempo.dispose();
    return { body: request?.body, warnings };
  };

  it('carries every setting', async () => {
    const { body, warnings } = await bodyOf({
      prompt: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      ],
      maxOutputTokens: 9,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      stopSequences: ['END'],
      seed: 7,
      headers: { 'user-agent': 'ai/7' },
      responseFormat: { type: 'text' },
      toolChoice: { type: 'auto' },
      tools: [],
    });
    expect(body).toEqual({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      stop: ['END'],
      seed: 7,
    });
    expect(warnings).toEqual([]);
  });

  it('carries nothing that is not set', async () => {
    const { body } = await bodyOf({
      temperature: undefined,
      stopSequences: [],
      reasoning: 'provider-default',
      tempo: { slo: null, stage: undefined, enable_thinking: null, simulate: null },
    });
    expect(body).toEqual({ messages: [{ role: 'user', content: 'Hello' }] });
  });

  it('takes null for what is not set', async () => {
    const nulls = {
      ...{ maxOutputTokens: null, temperature: null, topP: null, topK: null, seed: null },
      ...{ frequencyPenalty: null, presencePenalty: null, stopSequences: null },
      ...{ responseFormat: null, tools: null, toolChoice: null, reasoning: null },
      ...{ abortSignal: null, headers: null, includeRawChunks: null, providerOptions: null },
    };
    const { body, warnings } = await bodyOf(nulls as unknown as Given);
    expect(body).toEqual({ messages: [{ role: 'user', content: 'Hello' }] });
    expect(warnings).toEqual([]);
  });

  it('carries what Tempo has and the AI SDK has no setting for', async () => {
    const { body } = await bodyOf({
      tempo: {
        slo: { class: 'deadline', ttlt: 5000 },
        stage: 'plan',
        app: 'other',
        simulate: { content: 'Yes.' },
        enable_thinking: false,
        repetition_penalty: 1.1,
        logit_bias: { 5: -3 },
        logprobs: true,
        top_logprobs: 2,
        ignore_eos: false,
        parallel_tool_calls: false,
        response_format: { type: 'grammar', grammar: 'root ::= "yes"' },
      },
    });
    expect(body).toEqual({
      messages: [{ role: 'user', content: 'Hello' }],
      slo: { class: 'deadline', ttlt: 5000 },
      stage: 'plan',
      simulate: { content: 'Yes.' },
      extra_body: { enable_thinking: false },
      repetition_penalty: 1.1,
      logit_bias: { 5: -3 },
      logprobs: true,
      top_logprobs: 2,
      ignore_eos: false,
      parallel_tool_calls: false,
      response_format: { type: 'grammar', grammar: 'root ::= "yes"' },
    });
  });

  it('warns of settings that do nothing', async () => {
    const { warnings } = await bodyOf({
      reasoning: 'high',
      tools: [
        { type: 'provider', id: 'openai.web_search', name: 'search', args: {} },
        { ...WEATHER, strict: true, inputExamples: [{ input: { city: 'Oslo' } }] },
      ],
    });
    expect(warnings).toMatchObject([
      { type: 'unsupported', feature: 'provider-defined tool openai.web_search' },
      { type: 'unsupported', feature: 'inputExamples of the tool weather' },
      { type: 'compatibility', feature: 'reasoning' },
    ]);
  });

  it('that ends with the beginning of the answer asks for the rest of it', async () => {
    const { provider, tempo } = start();
    const { content, request } = await provider().doGenerate(
      call({
        prompt: [
          { role: 'user', content: [{ type: 'text', text: 'Name a fruit.' }] },
          { role: 'assistant', content: [{ type: 'text', text: 'A fruit is' }] },
        ],
        tempo: { simulate: { content: ' the pear.' } },
      }),
    );
    expect(content).toEqual([{ type: 'text', text: ' the pear.' }]);
    expect(request?.body).toMatchObject({ continue_final_message: true });
    await tempo.dispose();
  });

  it.each([
    ['none', {}, false],
    ['low', {}, true],
    ['none', { enable_thinking: true }, true],
  ] as const)('thinks as `reasoning: %s` and %j say', async (reasoning, tempo, thinks) => {
    const { body } = await bodyOf({ reasoning, tempo });
    expect(body).toMatchObject({ extra_body: { enable_thinking: thinks } });
  });

  it.each([
    [{ sloo: {} }, 'tempo.sloo'],
    [{ toString: 'x' }, 'tempo.toString'],
    [{ slo: 'fast' }, 'tempo.slo'],
    [{ slo: [] }, 'tempo.slo'],
    [{ stage: 5 }, 'tempo.stage'],
    [{ enable_thinking: 'no' }, 'tempo.enable_thinking'],
    [[], 'tempo'],
    ['fast', 'tempo'],
  ])('with the options %j is refused by the name of what is wrong', async (tempo, argument) => {
    const { provider, tempo: owner } = start();
    const options = call({ tempo: tempo as TempoProviderOptions });
    for (const made of [provider().doGenerate(options), provider().doStream(options)]) {
      const thrown = await failure(made);
      expect(thrown).toBeInstanceOf(InvalidArgumentError);
      expect(thrown).toMatchObject({ argument: `providerOptions.${argument}` });
    }
    await owner.dispose();
  });

  it('is checked by the server for all else, which names the field', async () => {
    const { provider, tempo } = start();
    const slo = { class: 'latency', ttft: -1, tbt: 80 } as const;
    const thrown = await failure(provider().doGenerate(call({ tempo: { slo } })));
    expect(thrown).toBeInstanceOf(APICallError);
    expect(thrown).toMatchObject({
      statusCode: 400,
      isRetryable: false,
      url: 'tempo:/v1/chat/completions',
      requestBodyValues: { slo },
      data: { error: { code: 'invalid_slo', param: 'slo.ttft', type: 'invalid_request_error' } },
    });
    await tempo.dispose();
  });

  it('may bring its own objective, stage and app', async () => {
    const { provider, tempo, harness } = start({ app: 'chat' });
    const slo = { class: 'deadline', ttlt: 60_000 } as const;
    const { stream } = await provider().doStream(
      call({ tempo: { ...endless, slo, stage: 'plan', app: 'agent' } }),
    );
    const { requests } = await harness.snapshot();
    expect(requests).toMatchObject([{ app: 'agent', stage: 'plan', class: 'deadline' }]);
    await stream.cancel();
    await tempo.dispose();
  });
});

describe('a program', () => {
  it('counts the calls that name it', async () => {
    const { provider, tempo } = start({ app: 'agent' });
    const program = provider.program({ deadline: 60_000 });
    const options = call({ maxOutputTokens: 3, tempo: { program: program.id } });
    await provider().doGenerate(options);
    await partsOf((await provider().doStream(options)).stream);
    expect(await program.end()).toMatchObject({ id: program.id, calls: 2, met: true });
    const thrown = await failure(provider().doGenerate(options));
    expect(thrown).toMatchObject({ argument: 'providerOptions.tempo.program' });
    await tempo.dispose();
  });

  it('is refused with a typed error where nothing is said of it', async () => {
    const { provider, tempo } = start();
    for (const nothing of [null, undefined] as never[]) {
      const thrown = await failure(Promise.resolve().then(() => provider.program(nothing)));
      expect(thrown).toMatchObject({ code: 'invalid_request' });
    }
    await tempo.dispose();
  });

  it('can be what all of a provider’s calls belong to', async () => {
    const { tempo } = start();
    const program = tempo.program({ app: 'agent', deadline: 60_000 });
    const provider = createTempoProvider(tempo, { program });
    await provider().doGenerate(call({ maxOutputTokens: 3 }));
    await provider().doGenerate(call({ maxOutputTokens: 3, tempo: { program: program.id } }));
    await provider().doGenerate(call({ maxOutputTokens: 3, tempo: { app: 'chat' } }));
    expect(await program.end()).toMatchObject({ calls: 2 });
    await tempo.dispose();
  });

  it.each([
    [{ program: 'p' }, 'program'],
    [{ program: 'p', app: 'chat' }, 'app'],
  ])('named as %j is refused', async (options, field) => {
    const { provider, tempo } = start();
    const thrown = await failure(provider().doGenerate(call({ tempo: options })));
    expect(thrown).toMatchObject({
      name: 'AI_InvalidArgumentError',
      argument: `providerOptions.tempo.${field}`,
    });
    await tempo.dispose();
  });
});

describe('an answer in JSON', () => {
  const text = '{"name": "Ada", "age": 36}';

  it('is held to the schema, of which the model is told', async () => {
    const { provider, tempo } = start();
    const { content, request } = await provider().doGenerate(
      call({
        responseFormat: {
          type: 'json',
          schema: { $schema: 'http://json-schema.org/draft-07/schema#', ...PERSON },
          name: 'person',
          description: 'Who it is.',
        },
        tempo: { simulate: { content: text } },
      }),
    );
    expect(content).toEqual([{ type: 'text', text }]);
    expect(request?.body).toMatchObject({
      messages: [
        {
          role: 'system',
          content: `person: Who it is.\nJSON schema:\n${JSON.stringify(PERSON)}\nYou MUST answer with a JSON object that matches the JSON schema above.`,
        },
        { role: 'user', content: 'Hello' },
      ],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'person', schema: PERSON, strict: true },
      },
    });
    await tempo.dispose();
  });

  it('without a schema is any JSON', async () => {
    const { provider, tempo } = start();
    const { request } = await provider().doGenerate(
      call({
        prompt: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        ],
        responseFormat: { type: 'json' },
      }),
    );
    expect(request?.body).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.\n\nYou MUST answer with JSON.' },
        { role: 'user' },
      ],
      response_format: { type: 'json_object' },
    });
    await tempo.dispose();
  });

  it('goes without the constraints that output cannot be held to, and says so', async () => {
    const { provider, tempo } = start();
    const schema = {
      type: 'object' as const,
      properties: {
        mail: { type: 'string' as const, format: 'email', pattern: '^.+@.+$' },
        twice: { type: 'string' as const, pattern: '^(.+)\\1$' },
        rule: { type: 'string' as const, format: 'regex' },
      },
    };
    const asked = call({ responseFormat: { type: 'json', schema } });
    const { request, warnings } = await provider().doGenerate(asked);
    expect(request?.body).toMatchObject({
      response_format: {
        json_schema: {
          schema: {
            type: 'object',
            properties: {
              mail: { type: 'string', format: 'email', pattern: '^.+@.+$' },
              twice: { type: 'string' },
              rule: { type: 'string' },
            },
          },
        },
      },
    });
    expect(warnings.map(({ type }) => type)).toEqual(['compatibility', 'compatibility']);
    const { stream } = await provider().doStream(asked);
    expect((await partsOf(stream))[0]).toEqual({ type: 'stream-start', warnings });
    await tempo.dispose();
  });

  it('of a schema that is none is refused', async () => {
    const { provider, tempo } = start();
    const schema = JSON.parse('{"type": "object", "properties": {"a": {"type": "complex"}}}');
    const thrown = await failure(
      provider().doGenerate(call({ responseFormat: { type: 'json', schema } })),
    );
    expect(thrown).toMatchObject({ statusCode: 400, data: { error: { code: 'invalid_schema' } } });
    await tempo.dispose();
  });
});

describe('tools', () => {
  const tools = [WEATHER];
  const weather = (city: string) => ({ name: 'weather', arguments: { city } });

  it('are called, words before them and all', async () => {
    const { provider, tempo } = start();
    const { content, finishReason, request } = await provider().doGenerate(
      call({
        tools,
        tempo: {
          simulate: {
            content: '<think>Two.</think>One moment.',
            tool_calls: [weather('Oslo'), weather('Rome')],
          },
        },
      }),
    );
    expect(content).toEqual([
      { type: 'reasoning', text: 'Two.' },
      { type: 'text', text: 'One moment.' },
      ...['Oslo', 'Rome'].map((city) => ({
        type: 'tool-call',
        toolCallId: expect.stringMatching(/^call_/),
        toolName: 'weather',
        input: JSON.stringify({ city }),
      })),
    ]);
    expect(finishReason).toEqual({ unified: 'tool-calls', raw: 'tool_calls' });
    const { $schema: _, ...parameters } = WEATHER.inputSchema;
    expect(request?.body).toMatchObject({
      tools: [
        {
          type: 'function',
          function: { name: 'weather', description: 'Tells the weather.', parameters },
        },
      ],
      tool_choice: 'auto',
    });
    await tempo.dispose();
  });

  it.each([
    [{ type: 'none' }, 'none'],
    [{ type: 'required' }, 'required'],
    [
      { type: 'tool', toolName: 'weather' },
      { type: 'function', function: { name: 'weather' } },
    ],
  ] as const)('are chosen: %j', async (toolChoice, choice) => {
    const { provider, tempo } = start();
    const { request } = await provider().doGenerate(call({ tools, toolChoice }));
    expect(request?.body).toMatchObject({ tool_choice: choice });
    await tempo.dispose();
  });

  it('that must be called and are not there are refused', async () => {
    const { provider, tempo } = start();
    const thrown = await failure(provider().doGenerate(call({ toolChoice: { type: 'required' } })));
    expect(thrown).toMatchObject({ data: { error: { param: 'tool_choice' } } });
    await tempo.dispose();
  });

  it('take a conversation on, results and all', async () => {
    const { provider, tempo } = start();
    const { content } = await provider().doGenerate(
      call({
        tools,
        prompt: [
          { role: 'user', content: [{ type: 'text', text: 'The weather in Oslo?' }] },
          {
            role: 'assistant',
            content: [
              { type: 'tool-call', toolCallId: 'c1', toolName: 'weather', input: { city: 'Oslo' } },
            ],
          },
          {
            role: 'tool',
            content: [
              {
                type: 'tool-result',
                toolCallId: 'c1',
                toolName: 'weather',
                output: { type: 'json', value: { degrees: 12 } },
              },
            ],
          },
        ],
        tempo: { simulate: { content: 'It is 12 degrees.' } },
      }),
    );
    expect(content).toEqual([{ type: 'text', text: 'It is 12 degrees.' }]);
    await tempo.dispose();
  });

  describe('beside an answer in JSON', () => {
    const responseFormat = { type: 'json' as const, schema: PERSON, description: 'Who it is.' };
    const person = { name: 'Ada', age: 36 };

    it('let the answer be one more tool', async () => {
      const { provider, tempo } = start();
      const { content, finishReason, request } = await provider().doGenerate(
        call({
          tools,
          responseFormat,
          tempo: { simulate: { tool_calls: [{ name: 'json', arguments: person }] } },
        }),
      );
      expect(content).toEqual([{ type: 'text', text: JSON.stringify(person) }]);
      expect(finishReason).toEqual({ unified: 'stop', raw: 'tool_calls' });
      expect(request?.body).toMatchObject({
        messages: [{ role: 'user' }],
        tools: [
          { function: { name: 'weather' } },
          {
            function: {
              name: 'json',
              description: 'Gives the final answer, as a JSON object. Who it is.',
              parameters: PERSON,
            },
          },
        ],
        tool_choice: 'required',
      });
      expect(request?.body).not.toHaveProperty('response_format');
      await tempo.dispose();
    });

    it('are called as ever', async () => {
      const { provider, tempo } = start();
      const { content, finishReason } = await provider().doGenerate(
        call({ tools, responseFormat, tempo: { simulate: { tool_calls: [weather('Oslo')] } } }),
      );
      expect(content).toMatchObject([{ type: 'tool-call', toolName: 'weather' }]);
      expect(finishReason.unified).toBe('tool-calls');
      await tempo.dispose();
    });

    it('may be called as the answer is', async () => {
      const { provider, tempo } = start();
      const { content, request } = await provider().doGenerate(
        call({
          tools: [WEATHER, { ...WEATHER, name: 'json' }],
          responseFormat: { type: 'json' },
          tempo: { simulate: { tool_calls: [{ name: 'json_', arguments: { any: 1 } }] } },
        }),
      );
      expect(content).toEqual([{ type: 'text', text: '{"any":1}' }]);
      expect(request?.body).toMatchObject({
        tools: [{}, {}, { function: { name: 'json_', parameters: { type: 'object' } } }],
      });
      await tempo.dispose();
    });

    it.each([
      [{ type: 'none' }, { response_format: { type: 'json_schema' }, tool_choice: 'none' }],
      [{ type: 'required' }, { tools: [{}], tool_choice: 'required' }],
    ] as const)('that are chosen otherwise, %j, stay what they are', async (toolChoice, body) => {
      const { provider, tempo } = start();
      const { request } = await provider().doGenerate(call({ tools, responseFormat, toolChoice }));
      expect(request?.body).toMatchObject(body);
      await tempo.dispose();
    });
  });
});

describe('a stream', () => {
  /** What a stream's parts come to. */
  function contentOf(parts: readonly LanguageModelV4StreamPart[]) {
    const content: LanguageModelV4Content[] = [];
    for (const part of parts) {
      const last = content.at(-1);
      if (part.type === 'text-start') content.push({ type: 'text', text: '' });
      else if (part.type === 'reasoning-start') content.push({ type: 'reasoning', text: '' });
      else if (part.type === 'tool-call') content.push(part);
      else if (part.type === 'text-delta' || part.type === 'reasoning-delta') {
        if (last?.type === 'text' || last?.type === 'reasoning') last.text += part.delta;
      }
    }
    return content;
  }

  const cases: [string, Given][] = [
    ['words', { seed: 5, maxOutputTokens: 30 }],
    ['reasoning', { tempo: { simulate: { content: '<think>Hm, two.</think>Four, then.' } } }],
    ['nothing', { tempo: { simulate: { content: '' } } }],
    [
      'tool calls',
      {
        tools: [WEATHER],
        tempo: {
          simulate: {
            content: 'One moment.',
            tool_calls: [
              { name: 'weather', arguments: { city: 'Oslo' } },
              { name: 'weather', arguments: {} },
            ],
          },
        },
      },
    ],
    [
      'an object beside tools',
      {
        tools: [WEATHER],
        responseFormat: { type: 'json', schema: PERSON },
        tempo: {
          simulate: { tool_calls: [{ name: 'json', arguments: { name: 'Ada', age: 36 } }] },
        },
      },
    ],
  ];

  it.each(cases)('of %s comes to what the whole answer is', async (_, options) => {
    const { provider, tempo } = start();
    const whole = await provider().doGenerate(call(options));
    const { stream, request } = await provider().doStream(call(options));
    const parts = await partsOf(stream);
    const withoutIds = (content: LanguageModelV4Content[]) =>
      content.map((part) => ('toolCallId' in part ? { ...part, toolCallId: 'id' } : part));
    expect(withoutIds(contentOf(parts))).toEqual(withoutIds(whole.content));
    expect(parts[0]).toEqual({ type: 'stream-start', warnings: whole.warnings });
    expect(parts[1]).toMatchObject({ type: 'response-metadata', modelId: 'laptop-gpu' });
    const finish = parts.at(-1);
    if (finish?.type !== 'finish') throw new Error('it did not finish');
    expect(finish.finishReason).toEqual(whole.finishReason);
    expect(finish.usage.outputTokens).toEqual(whole.usage.outputTokens);
    expect(Object.keys(finish.providerMetadata?.tempo ?? {})).toEqual(
      Object.keys(whole.providerMetadata?.tempo ?? {}),
    );
    expect(request?.body).toEqual({
      ...(whole.request?.body as object),
      stream: true,
      stream_options: { include_usage: true },
    });
    await tempo.dispose();
  });

  it('begins and ends each of its blocks and calls', async () => {
    const { provider, tempo } = start();
    const { stream } = await provider().doStream(
      call({
        tools: [WEATHER],
        tempo: {
          simulate: {
            content: '<think>Hm.</think>Wait.',
            tool_calls: [
              { name: 'weather', arguments: { city: 'Oslo' } },
              { name: 'weather', arguments: { city: 'Rome' } },
            ],
          },
        },
      }),
    );
    const parts = await partsOf(stream);
    const kinds = parts.map((part) => ('id' in part ? `${part.type} ${part.id}` : part.type));
    const once = kinds.filter((kind, i) => kind !== kinds[i - 1]);
    const ids = parts.flatMap((part) => (part.type === 'tool-call' ? part.toolCallId : []));
    const id = parts.flatMap((part) => (part.type === 'response-metadata' ? part.id : []))[0];
    expect(once).toEqual([
      'stream-start',
      `response-metadata ${id}`,
      'reasoning-start reasoning-0',
      'reasoning-delta reasoning-0',
      'reasoning-end reasoning-0',
      'text-start text-1',
      'text-delta text-1',
      'text-end text-1',
      ...ids.flatMap((id) => [
        `tool-input-start ${id}`,
        `tool-input-delta ${id}`,
        `tool-input-end ${id}`,
        'tool-call',
      ]),
      'finish',
    ]);
    expect(ids).toHaveLength(2);
    await tempo.dispose();
  });

  it('brings the chunks themselves where they are asked for', async () => {
    const { provider, tempo } = start();
    const simulate = { content: 'Good morning.' };
    const { stream } = await provider().doStream(
      call({ includeRawChunks: true, tempo: { simulate } }),
    );
    const parts = await partsOf(stream);
    const raw = parts.flatMap((part) => (part.type === 'raw' ? part.rawValue : []));
    expect(raw.length).toBeGreaterThan(2);
    expect(raw[0]).toMatchObject({ object: 'chat.completion.chunk', simulated: true });
    expect(parts[1]).toEqual({ type: 'raw', rawValue: raw[0] });
    await tempo.dispose();
  });

  it('that fails says so after what there was of it, and runs no call that is not whole', async () => {
    const { provider, tempo, harness } = start();
    const { stream } = await provider().doStream(
      call({
        tools: [WEATHER],
        tempo: {
          simulate: {
            content: 'Wait.',
            tool_calls: [{ name: 'weather', arguments: { city: 'word '.repeat(200) } }],
          },
        },
      }),
    );
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const part of stream) {
      parts.push(part);
      if (part.type !== 'tool-input-delta') continue;
      const [id] = harness.device.sequences;
      harness.device.failing.set(id, new TempoError('engine_failed', 'The kernel failed.'));
    }
    const kinds = [...new Set(parts.map(({ type }) => type))];
    expect(kinds).not.toContain('tool-call');
    expect(kinds.slice(-2)).toEqual(['error', 'finish']);
    const error = parts.find((part) => part.type === 'error')?.error;
    expect(error).toBeInstanceOf(APICallError);
    expect(error).toMatchObject({ message: 'The kernel failed.', statusCode: 500 });
    expect(parts.at(-1)).toMatchObject({
      finishReason: { unified: 'error', raw: undefined },
      usage: { inputTokens: { total: undefined } },
    });
    await tempo.dispose();
  });

  it('that is cancelled is aborted, and its pages are free', async () => {
    const { provider, tempo, harness } = start();
    const { stream } = await provider().doStream(call({ tempo: endless }));
    const reader = stream.getReader();
    for (let i = 0; i < 5; i++) await reader.read();
    await reader.cancel();
    await tick(20);
    expect((await harness.snapshot()).live).toEqual({ resident: 0, waiting: 0 });
    expect(harness.device.sequences.size).toBe(0);
    await tempo.dispose();
  });

  it('that is cancelled while it waits leaves the queue', async () => {
    const { provider, tempo, harness } = start({}, { profile: { maxSequences: 1 } });
    const running = await provider().doStream(call({ tempo: endless }));
    const reader = running.stream.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    const waiting = await provider().doStream(call({ tempo: endless }));
    const reading = waiting.stream.getReader();
    expect((await reading.read()).value?.type).toBe('stream-start');
    const pending = reading.read();
    await tick();
    expect((await harness.snapshot()).live.waiting).toBe(1);
    await reading.cancel();
    expect((await pending).done).toBe(true);
    await tick();
    expect((await harness.snapshot()).live).toEqual({ resident: 1, waiting: 0 });
    await reader.cancel();
    await tempo.dispose();
  });
});

describe('a signal', () => {
  it('ends a call before, while and after it is queued, as an AbortError', async () => {
    const { provider, tempo, harness } = start();
    const before = await failure(
      provider().doStream(call({ abortSignal: AbortSignal.abort(), tempo: endless })),
    );
    expect(before).toMatchObject({ name: 'AbortError' });

    const controller = new AbortController();
    const abortSignal = controller.signal;
    const whole = failure(provider().doGenerate(call({ abortSignal, tempo: endless })));
    const { stream } = await provider().doStream(call({ abortSignal, tempo: endless }));
    const reader = stream.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    controller.abort(new Error('enough'));
    expect(await whole).toMatchObject({ name: 'AbortError', cause: { message: 'enough' } });
    const rest = async () => {
      while (!(await reader.read()).done);
    };
    expect(await failure(rest())).toMatchObject({ name: 'AbortError' });
    await tick(20);
    expect((await harness.snapshot()).live).toEqual({ resident: 0, waiting: 0 });
    await tempo.dispose();
  });

  it('of a timeout ends it as a TimeoutError', async () => {
    const { provider, tempo } = start();
    const abortSignal = AbortSignal.timeout(10);
    const thrown = await failure(provider().doGenerate(call({ abortSignal, tempo: endless })));
    expect(thrown).toMatchObject({ name: 'TimeoutError' });
    await tempo.dispose();
  });
});

describe('a failure', () => {
  it('of a full queue says when to try again', async () => {
    const { provider, tempo } = start(
      {},
      { profile: { maxSequences: 1 }, choice: { maxWaiting: 1 } },
    );
    const controller = new AbortController();
    const options = call({ abortSignal: controller.signal, tempo: endless });
    const running = await provider().doStream(options);
    const reader = running.stream.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    await provider().doStream(options);
    for (const send of [provider().doStream(options), provider().doGenerate(options)]) {
      const thrown = await failure(send);
      if (!APICallError.isInstance(thrown)) throw thrown;
      expect(thrown).toMatchObject({ statusCode: 429, isRetryable: true });
      expect(thrown.data).toMatchObject({
        error: { code: 'queue_full', type: 'rate_limit_error', param: null },
      });
      expect(JSON.parse(thrown.responseBody ?? '')).toEqual(thrown.data);
      const ms = Number(thrown.responseHeaders?.['retry-after-ms']);
      expect(thrown.message).toContain(`Try again in ${ms} ms.`);
      expect(Number(thrown.responseHeaders?.['retry-after'])).toBe(Math.ceil(ms / 1000));
      expect(thrown.cause).toBeInstanceOf(TempoError);
    }
    controller.abort();
    await tempo.dispose();
  });

  it('of an engine that was replaced is retried, of one that is gone is not', async () => {
    const { provider, tempo } = start();
    const running = failure(provider().doGenerate(call({ tempo: endless })));
    await tempo.ready;
    await tick();
    await tempo.load({ engine: 'simulated' });
    const gone = { statusCode: 503, data: { error: { code: 'disposed' } } };
    expect(await running).toMatchObject({ ...gone, isRetryable: true });
    await tempo.dispose();
    const after = await failure(provider().doGenerate(call()));
    expect(after).toMatchObject({ ...gone, isRetryable: false });
  });

  it('of the load is what calls fail with', async () => {
    const { provider, tempo } = start(
      {},
      {
        onLoad: () => {
          throw new TempoError('webgpu_unavailable', 'There is no WebGPU here.');
        },
      },
    );
    const thrown = await failure(provider().doGenerate(call()));
    expect(thrown).toBeInstanceOf(APICallError);
    expect(thrown).toMatchObject({
      message: 'There is no WebGPU here.',
      statusCode: 501,
      isRetryable: false,
    });
    await tempo.dispose();
  });

  it('of a model that takes no images is UnsupportedFunctionalityError', async () => {
    const { provider, tempo } = start({}, { textOnly: true });
    const data = { type: 'data' as const, data: picture(1) };
    const thrown = await failure(provider().doGenerate(looking(data)));
    expect(thrown).toBeInstanceOf(UnsupportedFunctionalityError);
    expect(thrown).toMatchObject({ functionality: 'images' });
    await tempo.dispose();
  });

  it('of an image that is none is its caller’s', async () => {
    const { provider, tempo } = start();
    const data = { type: 'data' as const, data: 'AQL6' };
    const thrown = await failure(provider().doGenerate(looking(data)));
    expect(thrown).toBeInstanceOf(APICallError);
    expect(thrown).toMatchObject({
      statusCode: 400,
      isRetryable: false,
      data: { error: { param: 'messages[0].content[1].image_url.url' } },
    });
    await tempo.dispose();
  });
});

describe('an image', () => {
  // A phone's screen: 1,357 tokens.
  const bytes = picture(1, 9, 16);
  it.each<[string, LanguageModelV4FilePart['data'], string?]>([
    ['bytes', { type: 'data', data: bytes }],
    ['base64', { type: 'data', data: Buffer.from(bytes).toString('base64') }],
    ['bytes of no known type', { type: 'data', data: bytes }, 'image/*'],
    ['an address', { type: 'url', url: new URL(dataUrl(bytes)) }],
  ])('as %s is seen', async (_, data, mediaType) => {
    const { provider, tempo } = start();
    const { usage } = await provider().doGenerate(looking(data, mediaType));
    expect(usage.inputTokens.total).toBeGreaterThan(1357);
    await tempo.dispose();
  });

  it('is fetched where it is looked at', () => {
    const { supportedUrls } = start().provider('laptop-gpu');
    const images: RegExp[] = Reflect.get(supportedUrls, 'image/*');
    for (const url of ['https://a.b/c.png', 'http://a.b/c', 'blob:https://a.b/1-2']) {
      expect(images.some((pattern) => pattern.test(url))).toBe(true);
    }
    expect(images.some((pattern) => pattern.test('gs://a/b.png'))).toBe(false);
  });
});

describe('embeddings', () => {
  /** A Tempo whose apps have this for their embeddings. */
  function withEmbeddings(tempo: Tempo, embeddings: object | undefined): Tempo {
    const app = (name: string) => Object.assign(tempo.app(name), { embeddings });
    return new Proxy(tempo, {
      get: (target, key) => (key === 'app' ? app : Reflect.get(target, key)),
    });
  }

  /** As it is with an embedding model: each text's length is its vector. */
  function lengths(asked: unknown[] = []) {
    const create = async ({ input, ...params }: { input: string[] }, options: object) => {
      asked.push({ input, ...params, options });
      if (input.includes('')) {
        throw new TempoError('invalid_request', 'A text is empty.', { param: 'input[0]' });
      }
      if (input.includes('?')) {
        throw new TempoError('unsupported', 'None is loaded.', { param: 'model' });
      }
      const data = input.map((text, index) => ({ index, embedding: [text.length, 1] }));
      return {
        object: 'list',
        data: data.reverse(),
        usage: { prompt_tokens: 7, total_tokens: 7, extra: { queued_ms: 1, ttlt_ms: 2 } },
        simulated: true,
      };
    };
    return { create };
  }

  it('are not to be had of a Tempo that makes none', async () => {
    const { tempo } = start();
    const none = { name: 'AI_NoSuchModelError', modelId: 'bge', modelType: 'embeddingModel' };
    const without = createTempoProvider(withEmbeddings(tempo, undefined));
    expect(() => without.embeddingModel('bge')).toThrowError(expect.objectContaining(none));
    const unloaded = createTempoProvider(withEmbeddings(tempo, lengths())).embeddingModel('bge');
    expect(await failure(unloaded.doEmbed({ values: ['?'] }))).toMatchObject(none);
    await tempo.dispose();
  });

  it('are in the order of their texts', async () => {
    const { tempo } = start();
    const asked: unknown[] = [];
    const provider = createTempoProvider(withEmbeddings(tempo, lengths(asked)));
    const model = provider.embeddingModel('bge');
    expect(model).toMatchObject({
      specificationVersion: 'v4',
      provider: 'tempo.embedding',
      modelId: 'bge',
      maxEmbeddingsPerCall: 2048,
      supportsParallelCalls: true,
    });
    const slo = { class: 'deadline', ttlt: 900 } as const;
    const abortSignal = new AbortController().signal;
    const result = await model.doEmbed({
      values: ['a', 'bcd'],
      dimensions: 2,
      abortSignal,
      providerOptions: { tempo: { slo } },
    });
    expect(result).toMatchObject({
      embeddings: [
        [1, 1],
        [3, 1],
      ],
      usage: { tokens: 7 },
      providerMetadata: { tempo: { queued_ms: 1, ttlt_ms: 2, simulated: true } },
      warnings: [],
    });
    expect(asked).toEqual([
      { input: ['a', 'bcd'], model: 'bge', dimensions: 2, slo, options: { signal: abortSignal } },
    ]);
    await tempo.dispose();
  });

  it('of other dimensions than were asked for are told of', async () => {
    const { tempo } = start();
    const model = createTempoProvider(withEmbeddings(tempo, lengths())).embeddingModel();
    const { warnings } = await model.doEmbed({ values: ['a'], dimensions: 512 });
    expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'dimensions' }]);
    await tempo.dispose();
  });

  it('fail as answers do, and take no options that are theirs alone', async () => {
    const { tempo } = start();
    const model = createTempoProvider(withEmbeddings(tempo, lengths())).embeddingModel();
    expect(await failure(model.doEmbed({ values: [''] }))).toMatchObject({
      name: 'AI_APICallError',
      url: 'tempo:/v1/embeddings',
      statusCode: 400,
      isRetryable: false,
    });
    const options = { tempo: { simulate: { content: 'x' } } };
    expect(await failure(model.doEmbed({ values: ['a'], providerOptions: options }))).toMatchObject(
      { argument: 'providerOptions.tempo.simulate' },
    );
    await tempo.dispose();
  });
});

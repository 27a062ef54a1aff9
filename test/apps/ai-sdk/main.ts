/** The AI SDK's functions on Tempo's provider, as a page uses them. */
import {
  APICallError,
  createProviderRegistry,
  DirectChatTransport,
  embed,
  generateObject,
  generateText,
  InvalidArgumentError,
  isStepCount,
  NoObjectGeneratedError,
  NoSuchModelError,
  Output,
  readUIMessageStream,
  streamObject,
  streamText,
  ToolLoopAgent,
  tool,
  UnsupportedFunctionalityError,
  wrapLanguageModel,
} from 'ai';
import { createTempo, type Snapshot, type Tempo } from 'tempo-llm';
import { createTempoProvider, type TempoProviderOptions } from 'tempo-llm/ai-sdk';
import { z } from 'zod';
import { gives, report } from './report.js';

globalThis.AI_SDK_LOG_WARNINGS = false;

const tempo = createTempo({ engine: 'simulated' });
const provider = createTempoProvider(tempo, {
  app: 'chat',
  slo: { class: 'latency', ttft: 2000, tbt: 500 },
});
const prompt = 'Hello';

type Simulated = NonNullable<TempoProviderOptions['simulate']>;

/** The options with which the simulated engine gives this answer. */
const says = (simulate: Simulated) => ({
  providerOptions: { tempo: { simulate } satisfies TempoProviderOptions },
});

/** The same for every step of a loop. */
const saysInSteps = (...answers: Simulated[]) => ({
  prepareStep: ({ stepNumber }: { stepNumber: number }) => says(answers[stepNumber]),
});

const endless = { providerOptions: { tempo: { ignore_eos: true } satisfies TempoProviderOptions } };

const person = z.object({ name: z.string().describe('In full.'), age: z.int() });
const ada = { name: 'Ada', age: 36 };

const weather = tool({
  description: 'Tells the weather of a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    if (city === 'Atlantis') throw new Error('There is no such city.');
    return { city, degrees: city.length };
  },
});
const look = (city: string) => ({ name: 'weather', arguments: { city } });

const nameOf = (error: unknown) => (error instanceof Error ? error.name : String(error));

const failure = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** The next snapshot of which this is true. */
function seen(of: Tempo, test: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
  return new Promise((resolve) => {
    const stop = of.watch((snapshot) => {
      if (!test(snapshot)) return;
      stop();
      resolve(snapshot);
    }, 20);
  });
}
const idle = (of: Tempo) => seen(of, ({ live }) => live.resident + live.waiting === 0);

gives(
  'generateText',
  {
    text: 'Good morning.',
    finishReason: 'stop',
    model: 'laptop-gpu',
    reasoning: 0,
    total: true,
    tempo: [
      ...['queued_ms', 'ttft_ms', 'tbt_ms', 'ttlt_ms'],
      ...['slo_met', 'service_gain', 'preemptions', 'simulated'],
    ],
    met: true,
    simulated: true,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ],
    warnings: [{ type: 'unsupported', feature: 'provider-defined tool some.search' }],
  },
  async () => {
    const result = await generateText({
      model: provider(),
      instructions: 'Be brief.',
      prompt,
      temperature: 0.3,
      tools: {
        search: tool({
          type: 'provider',
          id: 'some.search',
          args: {},
          isProviderExecuted: true,
          inputSchema: z.object({}),
          outputSchema: z.object({}),
        }),
      },
      include: { requestBody: true },
      ...says({ content: 'Good morning.' }),
    });
    const { inputTokens = 0, outputTokens = 0, totalTokens } = result.usage;
    const { tempo: fared } = result.providerMetadata ?? {};
    const body = result.request.body as { messages: unknown };
    return {
      text: result.text,
      finishReason: result.finishReason,
      model: result.response.modelId,
      reasoning: result.usage.outputTokenDetails.reasoningTokens,
      total: inputTokens > 0 && outputTokens > 0 && totalTokens === inputTokens + outputTokens,
      tempo: Object.keys(fared),
      met: fared.slo_met,
      simulated: fared.simulated,
      messages: body.messages,
      warnings: result.warnings?.map((warning) =>
        warning.type === 'unsupported' ? { type: warning.type, feature: warning.feature } : warning,
      ),
    };
  },
);

gives(
  'generateText, of a thinking model',
  { reasoning: 'A greeting.', text: 'Hello.', content: ['reasoning', 'text'] },
  async () => {
    const { reasoningText, text, content } = await generateText({
      model: provider(),
      prompt,
      ...says({ content: '<think>A greeting.</think>Hello.' }),
    });
    return { reasoning: reasoningText, text, content: content.map(({ type }) => type) };
  },
);

gives(
  'streamText',
  {
    pieces: true,
    text: 'Good morning to you all.',
    reasoning: 'A greeting.',
    kinds: [
      ...['start', 'start-step'],
      ...['reasoning-start', 'reasoning-delta', 'reasoning-end'],
      ...['text-start', 'text-delta', 'text-end'],
      ...['finish-step', 'finish'],
    ],
    finishReason: 'stop',
  },
  async () => {
    const result = streamText({
      model: provider('laptop-gpu'),
      prompt,
      ...says({ content: '<think>A greeting.</think>Good morning to you all.' }),
    });
    const parts = await all(result.fullStream);
    const kinds = parts.map(({ type }) => type as string);
    const pieces = parts.flatMap((part) => (part.type === 'text-delta' ? part.text : []));
    return {
      pieces: pieces.length > 1 && pieces.join('') === (await result.text),
      text: await result.text,
      reasoning: await result.reasoningText,
      kinds: kinds.filter((kind, i) => kind !== kinds[i - 1]),
      finishReason: await result.finishReason,
    };
  },
);

gives('streamText, with raw chunks', true, async () => {
  const result = streamText({
    model: provider(),
    prompt,
    include: { rawChunks: true },
    ...says({ content: 'Yes.' }),
  });
  const raw = (await all(result.fullStream)).filter((part) => part.type === 'raw');
  return raw.length > 1;
});

gives('Output.object', ada, async () => {
  const { output } = await generateText({
    model: provider(),
    prompt,
    output: Output.object({ schema: person, name: 'person' }),
    ...says({ content: JSON.stringify(ada) }),
  });
  return output;
});

gives('Output.object, of all that zod has', true, async () => {
  const schema = z.object({
    mail: z.email(),
    id: z.uuid(),
    at: z.iso.datetime(),
    pair: z.tuple([z.string(), z.number()]),
    by: z.record(z.string(), z.number()),
    even: z.number().multipleOf(2),
    kind: z.discriminatedUnion('is', [
      z.object({ is: z.literal('a'), a: z.string() }),
      z.object({ is: z.literal('b'), b: z.string().nullable() }),
    ]),
  });
  const value = {
    mail: 'ada@example.org',
    id: '7f9c24e8-3b12-4fef-91e0-5c0a5b8d2a11',
    at: '2026-01-02T03:04:05Z',
    pair: ['a', 1],
    by: { a: 1 },
    even: 4,
    kind: { is: 'b', b: null },
  };
  const { output, warnings } = await generateText({
    model: provider(),
    prompt,
    output: Output.object({ schema }),
    ...says({ content: JSON.stringify(value) }),
  });
  return JSON.stringify(output) === JSON.stringify(value) && (warnings ?? []).length === 0;
});

gives('Output.array, streamed element by element', [ada, { name: 'Alan', age: 41 }], async () => {
  const { elementStream } = streamText({
    model: provider(),
    prompt,
    output: Output.array({ element: person }),
    ...says({ content: JSON.stringify({ elements: [ada, { name: 'Alan', age: 41 }] }) }),
  });
  return all(elementStream);
});

gives('Output.choice', 'sunny', async () => {
  const { output } = await generateText({
    model: provider(),
    prompt,
    output: Output.choice({ options: ['sunny', 'rainy'] }),
    ...says({ content: '{"result": "sunny"}' }),
  });
  return output;
});

gives('Output.json', { any: ['thing'] }, async () => {
  const { output } = await generateText({
    model: provider(),
    prompt,
    output: Output.json(),
    ...says({ content: '{"any": ["thing"]}' }),
  });
  return output;
});

gives('generateObject', ada, async () => {
  const { object } = await generateObject({
    model: provider(),
    prompt,
    schema: person,
    ...says({ content: JSON.stringify(ada) }),
  });
  return object;
});

gives('generateObject, of an answer that is none', [true, 'It rains.'], async () => {
  const thrown = await failure(
    generateObject({
      model: provider(),
      prompt,
      schema: person,
      ...says({ content: 'It rains.' }),
    }),
  );
  if (!NoObjectGeneratedError.isInstance(thrown)) throw thrown;
  return [true, thrown.text];
});

gives('streamObject', [true, ada], async () => {
  const { partialObjectStream, object } = streamObject({
    model: provider(),
    prompt,
    schema: person,
    ...says({ content: JSON.stringify(ada) }),
  });
  const partial = await all(partialObjectStream);
  return [partial.length > 1, await object];
});

gives(
  'generateText with tools, step by step',
  {
    text: 'Oslo has 4 degrees, Rome 4.',
    steps: ['tool-calls', 'stop'],
    words: 'One moment.',
    results: [
      { city: 'Oslo', degrees: 4 },
      { city: 'Rome', degrees: 4 },
    ],
    told: [
      { role: 'user', content: 'The weather?' },
      { role: 'assistant', content: 'One moment.', calls: ['{"city":"Oslo"}', '{"city":"Rome"}'] },
      { role: 'tool', content: '{"city":"Oslo","degrees":4}' },
      { role: 'tool', content: '{"city":"Rome","degrees":4}' },
    ],
  },
  async () => {
    const { text, steps } = await generateText({
      model: provider(),
      prompt: 'The weather?',
      tools: { weather },
      stopWhen: isStepCount(5),
      include: { requestBody: true },
      ...saysInSteps(
        { content: 'One moment.', tool_calls: [look('Oslo'), look('Rome')] },
        { content: 'Oslo has 4 degrees, Rome 4.' },
      ),
    });
    const { messages } = steps[1].request.body as {
      messages: {
        role: string;
        content: string;
        tool_calls?: { function: { arguments: string } }[];
      }[];
    };
    return {
      text,
      steps: steps.map(({ finishReason }) => finishReason),
      words: steps[0].text,
      results: steps[0].toolResults.map(({ output }) => output),
      told: messages.map(({ role, content, tool_calls: calls }) => ({
        role,
        content,
        calls: calls?.map((call) => call.function.arguments),
      })),
    };
  },
);

gives(
  'streamText with tools, step by step',
  {
    text: 'Done.',
    called: [{ city: 'Oslo' }, { city: 'Atlantis' }],
    results: [{ city: 'Oslo', degrees: 4 }],
    errors: ['There is no such city.'],
    whole: true,
  },
  async () => {
    const result = streamText({
      model: provider(),
      prompt,
      tools: { weather },
      stopWhen: isStepCount(5),
      ...saysInSteps({ tool_calls: [look('Oslo'), look('Atlantis')] }, { content: 'Done.' }),
    });
    const parts = await all(result.fullStream);
    const input = parts.flatMap((part) => (part.type === 'tool-input-delta' ? part.delta : []));
    return {
      text: await result.text,
      called: parts.flatMap((part) => (part.type === 'tool-call' ? part.input : [])),
      results: parts.flatMap((part) => (part.type === 'tool-result' ? part.output : [])),
      errors: parts.flatMap((part) =>
        part.type === 'tool-error' && part.error instanceof Error ? part.error.message : [],
      ),
      whole: input.join('') === '{"city":"Oslo"}{"city":"Atlantis"}',
    };
  },
);

gives('tools that end with an object', [{ city: 'Oslo', degrees: 4 }, 2, 'stop'], async () => {
  const { output, steps, finishReason } = await generateText({
    model: provider(),
    prompt,
    tools: { weather },
    output: Output.object({ schema: z.object({ city: z.string(), degrees: z.number() }) }),
    stopWhen: isStepCount(5),
    ...saysInSteps(
      { tool_calls: [look('Oslo')] },
      { tool_calls: [{ name: 'json', arguments: { city: 'Oslo', degrees: 4 } }] },
    ),
  });
  return [output, steps.length, finishReason];
});

gives('a tool that must be called', ['weather'], async () => {
  const { toolCalls } = await generateText({
    model: provider(),
    prompt,
    tools: { weather },
    toolChoice: { type: 'tool', toolName: 'weather' },
    ...says({ tool_calls: [look('Oslo')] }),
  });
  return toolCalls.map(({ toolName }) => toolName);
});

gives('an agent whose steps are one program', ['It is 4 degrees.', 2, true], async () => {
  const program = provider.program({ deadline: 60_000, app: 'agent' });
  const agent = new ToolLoopAgent({
    model: provider(),
    tools: { weather },
    ...saysInSteps({ tool_calls: [look('Oslo')] }, { content: 'It is 4 degrees.' }),
    providerOptions: { tempo: { program: program.id } satisfies TempoProviderOptions },
  });
  const { text } = await agent.generate({ prompt: 'How warm is Oslo?' });
  const { calls, met } = await program.end();
  return [text, calls, met];
});

gives('a chat’s transport that needs no server', ['step-start', 'reasoning', 'text'], async () => {
  const agent = new ToolLoopAgent({
    model: provider(),
    ...says({ content: '<think>A greeting.</think>Hello.' }),
  });
  const stream = await new DirectChatTransport({ agent }).sendMessages({
    trigger: 'submit-message',
    chatId: 'chat',
    messageId: undefined,
    messages: [{ id: 'm', role: 'user', parts: [{ type: 'text', text: prompt }] }],
    abortSignal: undefined,
  });
  const messages = await all(readUIMessageStream({ stream }));
  return messages.at(-1)?.parts.map(({ type }) => type);
});

gives('a stream that is aborted', ['abort', 'AbortError: enough', true], async () => {
  const controller = new AbortController();
  const result = streamText({
    model: provider(),
    prompt,
    abortSignal: controller.signal,
    ...endless,
  });
  let pieces = 0;
  const kinds: string[] = [];
  let reason: string | undefined;
  for await (const part of result.fullStream) {
    kinds.push(part.type);
    if (part.type === 'text-delta' && ++pieces === 3) {
      controller.abort(new DOMException('enough', 'AbortError'));
    }
    if (part.type === 'abort') reason = part.reason;
  }
  await idle(tempo);
  return [kinds.at(-1), reason, pieces >= 3];
});

gives('an answer that is aborted', ['AbortError', 'TimeoutError'], async () => {
  const controller = new AbortController();
  const aborted = failure(
    generateText({ model: provider(), prompt, abortSignal: controller.signal, ...endless }),
  );
  await seen(tempo, ({ live }) => live.resident > 0);
  controller.abort();
  const late = await failure(
    generateText({ model: provider(), prompt, abortSignal: AbortSignal.timeout(50), ...endless }),
  );
  const names = [await aborted, late].map(nameOf);
  await idle(tempo);
  return names;
});

gives('a full queue is waited for, as long as it says', ['At last.', true, true], async () => {
  const small = createTempo({ engine: 'simulated', maxWaiting: 1 });
  /** How long each refusal said to wait, and when it came, ms. */
  const refusals: { told: number; at: number }[] = [];
  const triedAgain: number[] = [];
  const watched = wrapLanguageModel({
    model: createTempoProvider(small)(),
    middleware: {
      specificationVersion: 'v4',
      wrapGenerate: async ({ doGenerate }) => {
        if (refusals.length > 0) triedAgain.push(performance.now());
        try {
          return await doGenerate();
        } catch (error) {
          if (!APICallError.isInstance(error)) throw error;
          const told = Number(error.responseHeaders?.['retry-after-ms']);
          refusals.push({ told, at: performance.now() });
          throw error;
        }
      },
    },
  });
  await small.ready;
  // Others, until no more are let in.
  const filler = small.app('filler', { slo: { class: 'latency', ttft: 2000, tbt: 200 } });
  const messages = [{ role: 'user' as const, content: 'Go on.' }];
  const ask = () =>
    filler.chat.completions.create({ messages, max_tokens: 60, ignore_eos: true, stream: true });
  while ((await failure(ask())) === undefined);
  const { text } = await generateText({
    model: watched,
    prompt,
    maxRetries: 20,
    ...says({ content: 'At last.' }),
  });
  await small.dispose();
  const asTold = refusals.every(({ told, at }, i) => {
    const waited = triedAgain[i] - at;
    return waited > told - 5 && waited < told + 300;
  });
  return [text, refusals.length > 0, asTold];
});

gives(
  'an objective of one call',
  { class: 'deadline', app: 'summaries', stage: 'part' },
  async () => {
    const controller = new AbortController();
    const running = failure(
      generateText({
        model: provider(),
        prompt,
        abortSignal: controller.signal,
        providerOptions: {
          tempo: {
            ignore_eos: true,
            slo: { class: 'deadline', ttlt: 60_000 },
            app: 'summaries',
            stage: 'part',
          } satisfies TempoProviderOptions,
        },
      }),
    );
    const { requests } = await seen(tempo, ({ live }) => live.resident > 0);
    controller.abort();
    await running;
    const [{ class: slo, app, stage }] = requests;
    return { class: slo, app, stage };
  },
);

gives('images, as bytes and by their addresses', [true, true, true], async () => {
  const canvas = new OffscreenCanvas(9, 16); // as a phone's screen: 1,357 tokens
  canvas.getContext('2d')?.fillRect(0, 0, 9, 16);
  const blob = await canvas.convertToBlob();
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const address = URL.createObjectURL(blob);
  const data = `data:image/png;base64,${btoa(String.fromCharCode(...bytes))}`;
  const seen: boolean[] = [];
  for (const image of [bytes, new URL(address), data]) {
    const file = { type: 'file' as const, mediaType: 'image/png', data: image };
    const { usage } = await generateText({
      model: provider(),
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, file] }],
    });
    seen.push((usage.inputTokens ?? 0) > 1357);
  }
  return seen;
});

gives(
  'errors that the AI SDK knows',
  {
    options: [true, 'providerOptions.tempo.sloo'],
    model: [true, 'other'],
    request: [true, 400, false, 'temperature'],
    files: [true, 'files of type application/pdf'],
    embeddings: [true, 'embeddingModel'],
  },
  async () => {
    const of = (options: Partial<Parameters<typeof generateText>[0]>) =>
      failure(
        generateText({ model: provider(), prompt, ...options } as Parameters<
          typeof generateText
        >[0]),
      );
    const options = await of({ providerOptions: { tempo: { sloo: 1 } } });
    const model = await of({ model: provider('other') });
    const request = await of({ temperature: 9 });
    const pdf = new TextEncoder().encode('%PDF-1.7');
    const file = { type: 'file' as const, mediaType: 'application/pdf', data: pdf };
    const files = await of({ prompt: undefined, messages: [{ role: 'user', content: [file] }] });
    const embeddings = await failure(
      (async () => embed({ model: provider.embeddingModel('bge'), value: 'Hello' }))(),
    );
    const data = (thrown: unknown) =>
      (APICallError.isInstance(thrown) ? thrown.data : undefined) as
        | { error: { param: string } }
        | undefined;
    return {
      options: [
        InvalidArgumentError.isInstance(options),
        (options as { argument?: string }).argument,
      ],
      model: [NoSuchModelError.isInstance(model), (model as NoSuchModelError).modelId],
      request: [
        APICallError.isInstance(request),
        (request as APICallError).statusCode,
        (request as APICallError).isRetryable,
        data(request)?.error.param,
      ],
      files: [
        UnsupportedFunctionalityError.isInstance(files),
        (files as UnsupportedFunctionalityError).functionality,
      ],
      embeddings: [
        NoSuchModelError.isInstance(embeddings),
        (embeddings as NoSuchModelError).modelType,
      ],
    };
  },
);

gives('a registry of providers', 'Hello.', async () => {
  const registry = createProviderRegistry({ tempo: provider });
  const { text } = await generateText({
    model: registry.languageModel('tempo:laptop-gpu'),
    prompt,
    ...says({ content: 'Hello.' }),
  });
  return text;
});

declare global {
  /** For the test that opened this page: what was wrong, a text each. */
  var trouble: Promise<string[]>;
}
globalThis.trouble = report();

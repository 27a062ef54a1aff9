import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  embed,
  embedMany,
  generateObject,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  tool,
} from 'ai';
import { z } from 'zod';
import { type Checks, equal, failure, matches, ok } from './check';
import { answering, apart, BASE_URL, idle, MODEL, servedAs, tempo } from './page';

type Fetch = typeof globalThis.fetch;

/** Each way that the AI SDK speaks to an OpenAI server. */
const PROVIDERS: Record<string, (fetch: Fetch) => LanguageModel> = {
  'openai (responses)': (fetch) => createOpenAI({ apiKey: 'none', fetch })(MODEL),
  'openai.chat': (fetch) => createOpenAI({ apiKey: 'none', fetch }).chat(MODEL),
  'openai-compatible': (fetch) =>
    createOpenAICompatible({
      name: 'tempo',
      baseURL: BASE_URL,
      apiKey: 'none',
      fetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })(MODEL),
};

const prompt = 'What is the capital of France?';
const PARIS = { content: 'It is Paris, of course.' };
const ENDLESS: Fetch = (input, init) => {
  const body = JSON.stringify({ ...JSON.parse(String(init?.body)), ignore_eos: true });
  return tempo.app('ai-sdk').fetch(input, { ...init, body });
};

const weather = tool({
  description: 'The weather in a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, rain: true }),
});

const checksOf = (model: (fetch: Fetch) => LanguageModel): Checks => ({
  'generateText gives an answer and its usage': async () => {
    const { text, usage, finishReason } = await generateText({
      model: model(answering(PARIS)),
      instructions: 'Answer in a sentence.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is the capital' },
            { type: 'text', text: 'of France?' },
          ],
        },
      ],
      temperature: 0.3,
      maxOutputTokens: 50,
    });
    equal(text, PARIS.content);
    equal(finishReason, 'stop');
    ok((usage.inputTokens ?? 0) > 5 && (usage.outputTokens ?? 0) > 3, 'there is no usage');
  },

  'streamText streams, and tells its usage': async () => {
    const result = streamText({ model: model(answering(PARIS)), prompt });
    const texts: string[] = [];
    for await (const text of result.textStream) texts.push(text);
    equal(texts.join(''), PARIS.content);
    ok(texts.length > 3, 'it came at once');
    ok(((await result.usage).outputTokens ?? 0) > 3, 'there is no usage');
    equal(await result.finishReason, 'stop');
  },

  'generateObject holds to a zod schema': async () => {
    const paris = { city: 'Paris', inhabitants: 2100000, rivers: ['Seine'] };
    const { object } = await generateObject({
      model: model(answering({ content: JSON.stringify(paris) })),
      schema: z.object({
        city: z.string(),
        inhabitants: z.number().int(),
        rivers: z.array(z.string()),
      }),
      prompt,
    });
    equal(object, paris);
  },

  'Output.object streams by a schema': async () => {
    const paris = { city: 'Paris' };
    const result = streamText({
      model: model(answering({ content: JSON.stringify(paris) })),
      output: Output.object({ schema: z.object({ city: z.string() }) }),
      prompt,
    });
    for await (const _ of result.partialOutputStream);
    equal(await result.output, paris);
  },

  'a tool loop goes on with what the tools said': async () => {
    const fetch = answering(
      { content: 'I look.', tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
      { content: 'It rains in Oslo.' },
    );
    const { text, steps } = await generateText({
      model: model(fetch),
      tools: { weather },
      stopWhen: isStepCount(3),
      prompt: 'Is it raining in Oslo?',
    });
    equal(text, 'It rains in Oslo.');
    equal(steps.length, 2);
    matches(steps[0].toolResults[0], { toolName: 'weather', output: { rain: true } });
  },

  'a streamed tool loop does, too, and a conversation goes on from it': async () => {
    const result = streamText({
      model: model(
        answering(
          { content: 'I look.', tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
          { content: 'It rains in Oslo.' },
        ),
      ),
      tools: { weather },
      stopWhen: isStepCount(3),
      prompt: 'Is it raining in Oslo?',
    });
    let text = '';
    for await (const piece of result.textStream) text += piece;
    equal(text, 'I look.It rains in Oslo.');
    const { messages } = await result.response;
    const next = await generateText({
      model: model(answering({ content: 'You are welcome.' })),
      messages: [
        { role: 'user', content: 'Is it raining in Oslo?' },
        ...messages,
        { role: 'user', content: 'Thank you.' },
      ],
    });
    equal(next.text, 'You are welcome.');
  },

  'an abort in the middle ends it, and frees the pages': async () => {
    const controller = new AbortController();
    let aborted = false;
    const result = streamText({
      model: model(ENDLESS),
      prompt,
      abortSignal: controller.signal,
      onAbort: () => {
        aborted = true;
      },
    });
    let pieces = 0;
    for await (const _ of result.textStream) if (++pieces === 3) controller.abort();
    ok(aborted, 'onAbort was not called');
    await idle();
    const whole = new AbortController();
    const call = generateText({ model: model(ENDLESS), prompt, abortSignal: whole.signal });
    await servedAs('ai-sdk', 'best-effort');
    whole.abort();
    matches(await failure(call), { name: 'AbortError' });
    await idle();
  },

  'a bad request is an APICallError with the sentence': async () => {
    const error = await failure(
      generateText({ model: model(tempo.fetch), prompt, maxOutputTokens: 2 ** 40 }),
    );
    ok(APICallError.isInstance(error), `${error}`);
    matches(error, { statusCode: 400, isRetryable: false });
    ok(error.message.includes('a whole number'), error.message);
    ok(error.responseBody?.includes('"param":"max_'), 'there is no param');
  },

  'a full queue is tried again': async () => {
    await apart({ maxWaiting: 1 }, async (own) => {
      const fetch: Fetch = (input, init) => {
        const body = JSON.stringify({ ...JSON.parse(String(init?.body)), ignore_eos: true });
        return own.fetch(input, { ...init, body });
      };
      const ask = (maxRetries: number) =>
        generateText({ model: model(fetch), prompt, maxOutputTokens: 20, maxRetries });
      const all = await Promise.all(
        Array.from({ length: 24 }, () => ask(0).catch((error: unknown) => error)),
      );
      const refused = all.filter((one) => APICallError.isInstance(one));
      ok(refused.length > 0 && refused.length < all.length, `${refused.length} were refused`);
      for (const error of refused) matches(error, { statusCode: 429, isRetryable: true });
      await Promise.all(Array.from({ length: 6 }, () => ask(20)));
    });
  },

  'an error in the middle of a stream reaches it': async () => {
    await apart({}, async (own) => {
      const fetch: Fetch = (input, init) => {
        const body = JSON.stringify({ ...JSON.parse(String(init?.body)), ignore_eos: true });
        return own.fetch(input, { ...init, body });
      };
      const errors: unknown[] = [];
      const result = streamText({
        model: model(fetch),
        prompt,
        onError: ({ error }) => {
          errors.push(error);
        },
      });
      let pieces = 0;
      for await (const _ of result.textStream) if (++pieces === 3) void own.unload();
      equal(errors.length, 1);
      ok(
        JSON.stringify(errors[0]).includes('unloaded') || `${errors[0]}`.includes('unloaded'),
        `${errors[0]}`,
      );
    });
  },

  'an SLO for one call': async () => {
    const controller = new AbortController();
    const result = streamText({
      model: model(ENDLESS),
      prompt,
      headers: { 'x-tempo-slo': JSON.stringify({ class: 'latency', ttft: 800, tbt: 80 }) },
      abortSignal: controller.signal,
    });
    const read = async () => {
      for await (const _ of result.textStream);
    };
    const reading = read();
    await servedAs('ai-sdk', 'latency');
    controller.abort();
    await reading;
    await idle();
  },
});

const perProvider = Object.entries(PROVIDERS).flatMap(([name, model]) =>
  Object.entries(checksOf(model)).map(([check, run]) => [`${name}: ${check}`, run] as const),
);

export const aiSdk: Checks = {
  ...Object.fromEntries(perProvider),

  'an SLO for one provider': async () => {
    const controller = new AbortController();
    const provider = createOpenAI({
      apiKey: 'none',
      fetch: ENDLESS,
      headers: { 'x-tempo-slo': JSON.stringify({ class: 'deadline', ttlt: 9000 }) },
    });
    const result = streamText({ model: provider(MODEL), prompt, abortSignal: controller.signal });
    const read = async () => {
      for await (const _ of result.textStream);
    };
    const reading = read();
    await servedAs('ai-sdk', 'deadline');
    controller.abort();
    await reading;
    await idle();
  },

  'openai-compatible: the tempo field, and what else stands in a body': async () => {
    const provider = createOpenAICompatible({
      name: 'tempo',
      baseURL: BASE_URL,
      fetch: tempo.app('compatible').fetch,
    });
    const { text } = await generateText({
      model: provider(MODEL),
      prompt,
      providerOptions: {
        tempo: { tempo: { slo: { class: 'deadline', ttlt: 9000 } }, simulate: PARIS },
      },
    });
    equal(text, PARIS.content);
  },

  'openai-compatible: reasoning is told apart': async () => {
    const provider = createOpenAICompatible({
      name: 'tempo',
      baseURL: BASE_URL,
      fetch: answering({ content: '<think>The capital.</think>Paris.' }),
    });
    const result = streamText({ model: provider(MODEL), prompt });
    for await (const _ of result.textStream);
    equal(await result.reasoningText, 'The capital.');
    equal(await result.text, 'Paris.');
  },

  'openai (responses): reasoning is told apart where a summary is asked for': async () => {
    const provider = createOpenAI({
      apiKey: 'none',
      fetch: answering({ content: '<think>The capital.</think>Paris.' }),
    });
    const { reasoningText, text } = await generateText({
      model: provider(MODEL),
      prompt,
      providerOptions: { openai: { forceReasoning: true, reasoningSummary: 'auto' } },
    });
    equal(reasoningText, 'The capital.');
    equal(text, 'Paris.');
  },

  'embed and embedMany, through either provider': async () => {
    await apart({ embeddingModels: ['little'] }, async (own) => {
      const openai = createOpenAI({ apiKey: 'none', fetch: own.fetch });
      const compatible = createOpenAICompatible({ name: 'x', baseURL: BASE_URL, fetch: own.fetch });
      const { embedding } = await embed({ model: openai.embedding('little'), value: 'the tide' });
      ok(embedding.length > 8, 'it is short');
      const { embeddings } = await embedMany({
        model: compatible.embeddingModel('little'),
        values: ['the tide', 'bread'],
      });
      equal(embeddings.length, 2);
      ok(Math.hypot(...embedding.map((x, i) => x - embeddings[0][i])) < 1e-3, 'they differ');
    });
  },

  'openai.completion goes on with a text': async () => {
    const provider = createOpenAI({ apiKey: 'none', fetch: answering({ content: ' is Paris.' }) });
    const { text } = await generateText({ model: provider.completion(MODEL), prompt });
    equal(text, ' is Paris.');
  },
};

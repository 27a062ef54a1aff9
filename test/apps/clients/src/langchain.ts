import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, type ChatOpenAIFields, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { type Checks, equal, failure, matches, ok } from './check';
import { answering, apart, BASE_URL, idle, MODEL, servedAs, tempo } from './page';

const PARIS = { content: 'It is Paris, of course.' };
const question = 'What is the capital of France?';

function chatOf(fetch: typeof globalThis.fetch, fields: ChatOpenAIFields = {}): ChatOpenAI {
  return new ChatOpenAI({
    model: MODEL,
    apiKey: 'none',
    maxRetries: 0,
    ...fields,
    configuration: {
      baseURL: BASE_URL,
      fetch,
      dangerouslyAllowBrowser: true,
      ...fields.configuration,
    },
  });
}

const weather = tool(async ({ city }: { city: string }) => `It rains in ${city}.`, {
  name: 'weather',
  description: 'The weather in a city',
  schema: z.object({ city: z.string() }),
});

const both = { chat: false, responses: true };

const checksOf = (useResponsesApi: boolean): Checks => ({
  'invoke gives an answer and its usage': async () => {
    const message = await chatOf(answering(PARIS), { useResponsesApi }).invoke([
      new SystemMessage('Answer in a sentence.'),
      new HumanMessage({
        content: [
          { type: 'text', text: 'What is the capital' },
          { type: 'text', text: 'of France?' },
        ],
      }),
    ]);
    equal(message.text, PARIS.content);
    ok((message.usage_metadata?.output_tokens ?? 0) > 3, 'there is no usage');
  },

  'stream streams': async () => {
    const stream = await chatOf(answering(PARIS), { useResponsesApi }).stream(question);
    const texts: string[] = [];
    for await (const chunk of stream) texts.push(chunk.text);
    equal(texts.join(''), PARIS.content);
    ok(texts.filter((text) => text !== '').length > 3, 'it came at once');
  },

  'withStructuredOutput reads by a zod schema': async () => {
    const paris = { city: 'Paris', rivers: ['Seine'] };
    const fetch = answering({ content: JSON.stringify(paris) });
    const schema = z.object({ city: z.string(), rivers: z.array(z.string()) });
    const model = chatOf(fetch, { useResponsesApi }).withStructuredOutput(schema, {
      method: 'jsonSchema',
    });
    equal(await model.invoke(question), paris);
  },

  'withStructuredOutput by a call': async () => {
    const paris = { city: 'Paris' };
    const fetch = answering({ tool_calls: [{ name: 'capital', arguments: paris }] });
    const model = chatOf(fetch, { useResponsesApi }).withStructuredOutput(
      z.object({ city: z.string() }),
      { method: 'functionCalling', name: 'capital' },
    );
    equal(await model.invoke(question), paris);
  },

  'bindTools calls, and goes on with what the tool said': async () => {
    const fetch = answering(
      { content: 'I look.', tool_calls: [{ name: 'weather', arguments: { city: 'Oslo' } }] },
      { content: 'It rains.' },
    );
    const model = chatOf(fetch, { useResponsesApi }).bindTools([weather]);
    const messages = [new HumanMessage('Is it raining in Oslo?')];
    const first = await model.invoke(messages);
    const [call] = first.tool_calls ?? [];
    matches(call, { name: 'weather', args: { city: 'Oslo' } });
    const result = await weather.invoke(call);
    ok(result instanceof ToolMessage, 'there is no tool message');
    const second = await model.invoke([...messages, first, result]);
    equal(second.text, 'It rains.');
  },

  'a signal aborts in the middle, and frees the pages': async () => {
    const controller = new AbortController();
    const fetch: typeof globalThis.fetch = (input, init) => {
      const body = JSON.stringify({ ...JSON.parse(String(init?.body)), ignore_eos: true });
      return tempo.app('langchain').fetch(input, { ...init, body });
    };
    const model = chatOf(fetch, { useResponsesApi });
    const read = async () => {
      const stream = await model.stream(question, { signal: controller.signal });
      let chunks = 0;
      for await (const _ of stream) if (++chunks === 3) controller.abort();
    };
    await failure(read());
    await idle();
  },

  'a bad request throws with status and field': async () => {
    const error = await failure(
      chatOf(tempo.fetch, { useResponsesApi, temperature: 9 }).invoke(question),
    );
    matches(error, { status: 400, param: 'temperature' });
  },

  'a full queue is tried again': async () => {
    await apart({ maxWaiting: 1 }, async (own) => {
      const model = (maxRetries: number) =>
        chatOf(own.fetch, { useResponsesApi, maxRetries, maxTokens: 20 });
      const ask = (maxRetries: number) => model(maxRetries).invoke(question);
      const all = await Promise.all(
        Array.from({ length: 24 }, () => ask(0).catch((error: unknown) => error)),
      );
      const refused = all.filter((one) => !(one instanceof AIMessage));
      ok(refused.length > 0 && refused.length < all.length, `${refused.length} were refused`);
      for (const error of refused) matches(error, { status: 429 });
      await Promise.all(Array.from({ length: 6 }, () => ask(20)));
    });
  },

  'an SLO for one client, and for one call': async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const fetch: typeof globalThis.fetch = (input, init) => {
      const body = JSON.stringify({ ...JSON.parse(String(init?.body)), ignore_eos: true });
      return tempo.app('langchain').fetch(input, { ...init, body });
    };
    const slo = { class: 'deadline', ttlt: 9000 };
    const model = chatOf(fetch, { useResponsesApi, modelKwargs: { tempo: { slo } } });
    const first = failure(model.invoke(question, { signal }));
    await servedAs('langchain', 'deadline');
    const headers = { 'x-tempo-slo': JSON.stringify({ class: 'latency', ttft: 800, tbt: 80 }) };
    const plain = chatOf(fetch, { useResponsesApi });
    const second = failure(plain.invoke(question, { signal, options: { headers } }));
    await servedAs('langchain', 'latency');
    controller.abort();
    await Promise.all([first, second]);
    await idle();
  },
});

const ofBoth: Checks = Object.fromEntries(
  Object.entries(both).flatMap(([name, useResponsesApi]) =>
    Object.entries(checksOf(useResponsesApi)).map(([check, run]) => [`${name}: ${check}`, run]),
  ),
);

export const langchain: Checks = {
  ...ofBoth,

  'OpenAIEmbeddings gives vectors': async () => {
    await apart({ embeddingModels: ['little'] }, async (own) => {
      const configuration = { baseURL: BASE_URL, fetch: own.fetch, dangerouslyAllowBrowser: true };
      const model = new OpenAIEmbeddings({ model: 'little', apiKey: 'none', configuration });
      const vectors = await model.embedDocuments(['the tide comes in', 'bread']);
      equal(vectors.length, 2);
      ok(vectors[0].length > 8, 'it is short');
    });
  },
};

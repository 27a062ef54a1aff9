/** The AI SDK's provider for WebLLM, as it is. */
import { webLLM } from '@browser-ai/web-llm';
import { embedMany, generateText, isStepCount, Output, streamText, tool } from 'ai';
import { z } from 'zod';
import { type Checks, equal, ok } from './check';
import { EMBEDDING, MODEL } from './examples/on-tempo';

globalThis.AI_SDK_LOG_WARNINGS = false;

// The provider looks whether there is WebGPU before it asks for it; a simulated model needs none.
if (!('gpu' in navigator)) Object.defineProperty(navigator, 'gpu', { value: {} });

/** Its model, made to answer these, one after the other; at the end, of itself. */
function modelOf(answers: string[], worker?: Worker) {
  const simulate = () => {
    const content = answers.shift();
    return content === undefined ? undefined : { content };
  };
  return webLLM(MODEL, { worker, engineConfig: { tempo: { engine: 'simulated', simulate } } });
}

const startWorker = () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });

const FENCE = '```';
const tools = {
  weather: tool({
    description: 'Tells the weather of a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `It rains in ${city}.`,
  }),
};
const call = `${FENCE}tool_call\n{"name": "weather", "arguments": {"city": "Rome"}}\n${FENCE}`;

export const aiSdk: Checks = {
  generateText: async () => {
    const { text, usage } = await generateText({ model: modelOf(['Hello.']), prompt: 'Hi' });
    equal(text, 'Hello.');
    ok((usage.outputTokens ?? 0) > 0 && (usage.inputTokens ?? 0) > 0, 'there is no usage');
  },

  'streamText, with progress': async () => {
    const progress: number[] = [];
    const model = await modelOf(['Hello there.']).createSessionWithProgress((at) =>
      progress.push(at),
    );
    equal(progress.at(-1), 1);
    const { textStream } = streamText({ model, prompt: 'Hi', instructions: 'Be brief.' });
    let text = '';
    for await (const piece of textStream) text += piece;
    equal(text, 'Hello there.');
  },

  'streamText in a worker of the page’s': async () => {
    const worker = startWorker();
    const result = streamText({ model: modelOf(['From afar.'], worker), prompt: 'Hi' });
    equal(await result.text, 'From afar.');
    worker.terminate();
  },

  tools: async () => {
    const model = modelOf([call, 'Take an umbrella.']);
    const { text, steps } = await generateText({
      model,
      tools,
      stopWhen: isStepCount(3),
      prompt: 'How is Rome?',
    });
    equal(text, 'Take an umbrella.');
    equal(steps[0].toolResults[0]?.output, 'It rains in Rome.');
    const streamed = streamText({
      model: modelOf([call, 'Rain.']),
      tools,
      stopWhen: isStepCount(3),
      prompt: 'How is Rome?',
    });
    equal(await streamed.text, 'Rain.');
  },

  'an object that follows a schema': async () => {
    const schema = z.object({ size: z.int(), open: z.boolean() });
    const { output } = await generateText({
      model: modelOf([]),
      prompt: 'Make one up.',
      output: Output.object({ schema }),
    });
    schema.parse(output);
  },

  'a signal ends it': async () => {
    const stop = new AbortController();
    const model = modelOf(['word '.repeat(2000)]);
    const { textStream } = streamText({ model, prompt: 'Hi', abortSignal: stop.signal });
    let pieces = 0;
    for await (const _ of textStream) if (++pieces === 3) stop.abort();
    ok(pieces < 1000, `there were ${pieces} pieces`);
    const late = await generateText({ model, prompt: 'Hi', abortSignal: stop.signal });
    equal([late.text, late.rawFinishReason], ['', 'abort']);
  },

  embedMany: async () => {
    const model = webLLM.embeddingModel(EMBEDDING, {
      engineConfig: { tempo: { engine: 'simulated' } },
    });
    const { embeddings, usage } = await embedMany({ model, values: ['one', 'two'] });
    equal(embeddings.length, 2);
    ok(usage.tokens > 0, 'there is no usage');
  },
};

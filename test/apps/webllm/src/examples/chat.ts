/** After WebLLM's get-started, streaming, multi-round-chat, simple-chat, seed-to-reproduce, prefix-caching. */
import * as webllm from '@mlc-ai/web-llm';
import { type Checks, equal, ok } from '../check';
import { MODEL, onTempo, says } from './on-tempo';

export const chat: Checks = {
  'getting started': async () => {
    const seen: webllm.InitProgressReport[] = [];
    const initProgressCallback = (report: webllm.InitProgressReport) => {
      seen.push(report);
    };
    const engine: webllm.MLCEngineInterface = await webllm.CreateMLCEngine(
      MODEL,
      { ...onTempo, initProgressCallback, logLevel: 'WARN' },
      { context_window_size: 2048 },
    );
    equal(seen.at(-1)?.progress, 1);
    const reply = await engine.chat.completions.create({
      messages: [{ role: 'user', content: 'List three US states.' }],
      n: 3,
      temperature: 1.5,
      max_tokens: 256,
      ...says('Ohio, Iowa, Utah.'),
    });
    equal(
      reply.choices.map(({ message }) => message.content),
      ['Ohio, Iowa, Utah.', 'Ohio, Iowa, Utah.', 'Ohio, Iowa, Utah.'],
    );
    ok((reply.usage?.extra.decode_tokens_per_s ?? 0) > 0, 'there is no rate');
    ok(/^prefill: [\d.]+ tokens\/sec/.test(await engine.runtimeStatsText()), 'no statistics');
    await engine.unload();
  },

  'streaming, the text beside': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const chunks = await engine.chat.completions.create({
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      stream_options: { include_usage: true },
      logprobs: true,
      top_logprobs: 2,
      ...says('Good day to you!'),
    });
    let text = '';
    let usage: webllm.CompletionUsage | undefined;
    for await (const chunk of chunks) {
      text += chunk.choices[0]?.delta.content ?? '';
      for (const { top_logprobs: top } of chunk.choices[0]?.logprobs?.content ?? []) {
        equal(top.length, 2);
      }
      usage = chunk.usage ?? usage;
    }
    equal(text, 'Good day to you!');
    equal(text, await engine.getMessage());
    ok((usage?.completion_tokens ?? 0) > 0, 'there is no usage');
    await engine.unload();
  },

  'a chat page: rounds, an interruption, a reset, another model': async () => {
    const engine: webllm.MLCEngineInterface = new webllm.MLCEngine(onTempo);
    engine.setInitProgressCallback(() => {});
    await engine.reload(MODEL);
    const history: webllm.ChatCompletionMessageParam[] = [
      { role: 'system', content: 'You are a helpful assistant.' },
    ];
    const ask = async (question: string, answer: object, interruptAfter = Infinity) => {
      history.push({ role: 'user', content: question });
      const request: webllm.ChatCompletionRequestStreaming = {
        messages: history,
        stream: true,
        extra_body: { enable_thinking: false },
        ...answer,
      };
      let finish: string | null = null;
      let count = 0;
      for await (const { choices } of await engine.chat.completions.create(request)) {
        finish = choices[0]?.finish_reason ?? finish;
        if (++count === interruptAfter) engine.interruptGenerate();
      }
      history.push({ role: 'assistant', content: await engine.getMessage() });
      return finish;
    };
    equal(await ask('Who are you?', says('An assistant.')), 'stop');
    equal(await ask('Go on and on.', { max_tokens: 500, ignore_eos: true }, 5), 'abort');
    equal(await ask('And now?', says('Now I am here.')), 'stop');
    equal(history.at(-1)?.content, 'Now I am here.');
    const last = await engine.getMessage();
    await engine.resetChat();
    equal(await engine.getMessage(), last);
    await engine.reload('Qwen3-0.6B-q4f16_1-MLC');
    equal(await ask('Hello again', says('Hello.')), 'stop');
    await engine.unload();
  },

  'a seed gives the same again': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const request: webllm.ChatCompletionRequestNonStreaming = {
      messages: [{ role: 'user', content: 'A poem of the sea' }],
      seed: 42,
      max_tokens: 24,
    };
    const [one, other] = await Promise.all([
      engine.chatCompletion(request),
      engine.chatCompletion(request),
    ]);
    equal(one.choices[0].message.content, other.choices[0].message.content);
    await engine.unload();
  },

  'what a prompt begins with is computed once': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const system = `You know this: ${'the sea is wide and the sky is blue. '.repeat(20)}`;
    const ask = async (question: string) => {
      const { usage } = await engine.chatCompletion({
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: question },
        ],
        max_tokens: 8,
      });
      return usage?.prompt_tokens ?? 0;
    };
    const first = await ask('How wide?');
    const second = await ask('How blue?');
    ok(second < first / 2, `${second} tokens after ${first}`);
    await engine.unload();
  },

  'calls run side by side': async () => {
    const engine = await webllm.CreateMLCEngine(MODEL, onTempo);
    const ended: string[] = [];
    const ask = async (name: string, max_tokens: number) => {
      const messages = [{ role: 'user' as const, content: name }];
      await engine.chatCompletion({ messages, max_tokens, ignore_eos: true });
      ended.push(name);
    };
    await Promise.all([ask('long', 100), ask('short', 3)]);
    equal(ended, ['short', 'long']);
    await engine.unload();
  },
};

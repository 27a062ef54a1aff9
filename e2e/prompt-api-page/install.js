/** Tempo in the browser's place, on the simulated engine, which is told here what to say. */
import { installLanguageModel } from './prompt-api.js';

installLanguageModel(
  { engine: 'simulated' },
  {
    force: true,
    slo: { class: 'latency', ttft: 1000, tbt: 100 },
    simulate({ messages, response_format: format }) {
      const { role, content } = messages.at(-1);
      if (role === 'tool') return { content: `In Oslo there is ${content}.` };
      if (/weather/.test(content)) {
        return { tool_calls: [{ name: 'getWeather', arguments: { location: 'Oslo' } }] };
      }
      if (format?.type === 'json_schema') return { content: '{"rating": 5}' };
      if (/long/.test(content)) return { content: 'and on '.repeat(500) };
      if (/toml/.test(content)) return { content: 'name = "Nim"' };
      return { content: `You said “${content}”, after ${messages.length - 1} others.` };
    },
  },
);

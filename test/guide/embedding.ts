import { createTempo } from 'tempo-llm';

declare const text: string;
declare function show(text: string): void;

const tempo = createTempo({ model: 'Qwen3-0.6B-q4f16_1-MLC' });

// A stream: the first token within 0.8 s, then one every 80 ms.
const chat = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });
const stream = await chat.chat.completions.create({
  messages: [{ role: 'user', content: 'Hello' }],
  stream: true,
});
for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? '');

// No hurry.
const summaries = tempo.app('summaries', { slo: { class: 'best-effort' } });
const { choices } = await summaries.chat.completions.create({
  messages: [{ role: 'user', content: `Summarize: ${text}` }],
});

export { choices };

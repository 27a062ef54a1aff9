import { createTempo } from 'tempo-llm';
import { TempoServer } from 'tempo-llm/server';

const tempo = createTempo({ engine: 'simulated', host: new TempoServer() });
const { chat } = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });

const stream = await chat.completions.create({
  messages: [{ role: 'user', content: 'Why is the sky blue?' }],
  max_tokens: 30,
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0].delta.content ?? '');
await tempo.dispose();

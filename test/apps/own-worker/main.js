import { createTempo } from 'tempo-llm';

// ?model=Qwen2.5-0.5B-Instruct-q4f16_1-MLC answers with that model, nothing with the simulated engine.
const model = new URLSearchParams(location.search).get('model');
const worker = () => new Worker(new URL('./tempo-worker.js', import.meta.url), { type: 'module' });
const tempo = createTempo({ ...(model ? { model } : { engine: 'simulated' }), worker });
const { chat } = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });

const form = document.querySelector('form');
const button = document.querySelector('button');
const reply = document.querySelector('output');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  reply.textContent = '';
  const stream = await chat.completions.create({
    messages: [{ role: 'user', content: form.elements.question.value }],
    max_tokens: 200,
    stream: true,
  });
  for await (const chunk of stream) reply.textContent += chunk.choices[0].delta.content ?? '';
  button.disabled = false;
});

tempo.onState((state) => {
  if (state.phase === 'loading') reply.textContent = state.progress.text;
  if (state.phase === 'ready') button.disabled = false;
  if (state.phase === 'failed') reply.textContent = state.error.message;
});

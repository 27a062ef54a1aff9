import { createTempo } from 'tempo-llm';

// One model for every page and tab of the site.
const worker = new SharedWorker(new URL('./tempo-worker.js', import.meta.url), { type: 'module' });
const tempo = createTempo({ engine: 'simulated', worker });
const { chat } = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });

const form = document.querySelector('form');
const button = document.querySelector('button');
const reply = document.querySelector('output');
const status = document.querySelector('p');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  reply.textContent = '';
  const stream = await chat.completions.create({
    messages: [{ role: 'user', content: form.elements.question.value }],
    max_tokens: 300,
    ignore_eos: true, // long enough to be left
    stream: true,
  });
  for await (const chunk of stream) reply.textContent += chunk.choices[0].delta.content ?? '';
  button.disabled = false;
});

tempo.onState((state) => {
  if (state.phase === 'ready') button.disabled = false;
  if (state.phase === 'failed') reply.textContent = state.error.message;
});

tempo.watch(({ live }) => {
  status.textContent = `Answers under way: ${live.resident + live.waiting}`;
});

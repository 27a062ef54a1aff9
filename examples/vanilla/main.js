import { createTempo } from 'tempo-llm';
import 'tempo-llm/dashboard';
import { articles } from './articles.js';

const MODEL = 'Qwen2.5-0.5B-Instruct-q4f16_1-MLC';
const simulated = new URLSearchParams(location.search).get('engine') === 'simulated';

const tempo = createTempo(simulated ? { engine: 'simulated' } : { model: MODEL });
const chat = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } });
const summaries = tempo.app('summaries', { slo: { class: 'best-effort' } });

const [ask, summarize] = document.querySelectorAll('button');
const form = document.querySelector('form');
const reply = document.querySelector('output');
const list = document.querySelector('dl');
const engine = document.querySelector('.engine');
const alarm = document.querySelector('[role=alert]');

document.querySelector('tempo-dashboard').tempo = tempo;

tempo.onState((state) => {
  if (state.phase === 'loading') engine.textContent = state.progress.text;
  if (state.phase === 'failed') {
    alarm.textContent = state.error.message;
    engine.innerHTML = '<a href="?engine=simulated">Simulate a model</a>';
  }
  if (state.phase === 'ready') {
    engine.innerHTML = simulated
      ? 'The simulated engine answers: its text is made up. <a href="?">Use a model</a>'
      : `${MODEL} answers, in this page. <a href="?engine=simulated">Simulate it</a>`;
    ask.disabled = false;
    summarize.disabled = false;
  }
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  ask.disabled = true;
  reply.textContent = '';
  alarm.textContent = '';
  try {
    const stream = await chat.chat.completions.create({
      messages: [{ role: 'user', content: form.elements.question.value }],
      max_tokens: 300,
      stream: true,
    });
    for await (const chunk of stream) reply.textContent += chunk.choices[0].delta.content ?? '';
  } catch (error) {
    alarm.textContent = error.message;
  }
  ask.disabled = false;
});

summarize.addEventListener('click', async () => {
  summarize.disabled = true;
  list.replaceChildren();
  // All at once: they share the model's steps.
  const made = articles.map(async ({ title, text }) => {
    const { choices } = await summaries.chat.completions.create({
      messages: [
        { role: 'system', content: 'Summarize the text in one sentence.' },
        { role: 'user', content: text },
      ],
      max_tokens: 60,
    });
    const term = document.createElement('dt');
    const description = document.createElement('dd');
    term.textContent = title;
    description.textContent = choices[0].message.content;
    list.append(term, description);
  });
  for (const one of await Promise.allSettled(made)) {
    if (one.status === 'rejected') alarm.textContent = one.reason.message;
  }
  summarize.disabled = false;
});

import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { createTempo } from 'tempo-llm';
import { z } from 'zod';
import { element, show } from './page';

const simulated = new URLSearchParams(location.search).get('engine') === 'simulated';
const model = simulated ? 'laptop-gpu' : 'Qwen2.5-0.5B-Instruct-q4f16_1-MLC';
const tempo = createTempo({ engine: simulated ? 'simulated' : 'webllm', model });

// A client for each feature of the page, with the objective of that.
const chat = new OpenAI({
  fetch: tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 80 } }).fetch,
  apiKey: 'none',
  dangerouslyAllowBrowser: true, // there is no key
});
const extraction = new OpenAI({
  fetch: tempo.app('extraction', { slo: { class: 'deadline', ttlt: 8000 } }).fetch,
  apiKey: 'none',
  dangerouslyAllowBrowser: true,
});

const Visit = z.object({
  name: z.string(),
  company: z.string(),
  guests: z.number().int().min(1).max(100),
  date: z.string(),
});

element('#chat', HTMLFormElement).addEventListener('submit', async (event) => {
  event.preventDefault();
  const output = element('output', HTMLElement);
  output.textContent = '';
  await show(async () => {
    const stream = await chat.chat.completions.create({
      model,
      messages: [{ role: 'user', content: element('#chat input', HTMLInputElement).value }],
      max_tokens: 300,
      stream: true,
    });
    for await (const chunk of stream) output.textContent += chunk.choices[0]?.delta.content ?? '';
  });
});

element('#extract', HTMLFormElement).addEventListener('submit', async (event) => {
  event.preventDefault();
  await show(async () => {
    const { choices } = await extraction.chat.completions.parse({
      model,
      messages: [
        { role: 'system', content: 'Extract the visit that is asked for.' },
        { role: 'user', content: element('textarea', HTMLTextAreaElement).value },
      ],
      response_format: zodResponseFormat(Visit, 'visit'),
    });
    element('pre', HTMLElement).textContent = JSON.stringify(choices[0]?.message.parsed, null, 2);
  });
});

tempo.onState((state) => {
  const engine = element('.engine', HTMLElement);
  if (state.phase === 'loading') engine.textContent = state.progress.text;
  if (state.phase === 'failed') {
    element('[role=alert]', HTMLElement).textContent = state.error.message;
    engine.innerHTML = '<a href="?engine=simulated">Simulate a model</a>';
  }
  if (state.phase === 'ready') {
    engine.innerHTML = simulated
      ? 'The simulated engine answers: its text is made up. <a href="?">Use a model</a>'
      : `${model} answers, in this page. <a href="?engine=simulated">Simulate it</a>`;
    for (const button of document.querySelectorAll('button')) button.disabled = false;
  }
});

// Before: import * as webllm from '@mlc-ai/web-llm';
import * as webllm from 'tempo-llm/webllm';

const MODEL = 'Qwen2.5-0.5B-Instruct-q4f16_1-MLC';
const simulated = new URLSearchParams(location.search).get('engine') === 'simulated';

/** The element of a selector. */
function element(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`There is no ${selector}.`);
  return found;
}

const [ask, stop] = document.querySelectorAll('button');
const inputs = [...document.querySelectorAll('input')];
const outputs = [...document.querySelectorAll('output')];
const engineText = element('.engine');
const alarm = element('[role=alert]');

function tell(error: unknown): void {
  alarm.textContent = error instanceof Error ? error.message : String(error);
}

async function answer(
  engine: webllm.MLCEngineInterface,
  question: string,
  output: HTMLElement,
): Promise<void> {
  output.textContent = '';
  const chunks = await engine.chat.completions.create({
    messages: [{ role: 'user', content: question }],
    max_tokens: 300,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of chunks) output.textContent += chunk.choices[0]?.delta.content ?? '';
}

async function start(): Promise<void> {
  const engine = await webllm.CreateMLCEngine(MODEL, {
    initProgressCallback: ({ text }) => {
      engineText.textContent = text;
    },
    // What Tempo adds. For the simulated engine there is no other way to say it.
    tempo: {
      slo: { class: 'latency', ttft: 1000, tbt: 100 },
      ...(simulated && { engine: 'simulated' }),
    },
  });
  engineText.innerHTML = simulated
    ? 'The simulated engine answers: its text is made up. <a href="?">Use a model</a>'
    : `${MODEL} answers, in this page. <a href="?engine=simulated">Simulate it</a>`;
  ask.disabled = false;

  element('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    ask.disabled = true;
    stop.disabled = false;
    alarm.textContent = '';
    // WebLLM would answer one after the other. Here they share the model's steps.
    const answers = inputs.map(({ value }, i) => answer(engine, value, outputs[i]));
    await Promise.all(answers).catch(tell);
    element('small').textContent = await engine.runtimeStatsText();
    ask.disabled = false;
    stop.disabled = true;
  });
  stop.addEventListener('click', () => engine.interruptGenerate());
}

start().catch((error) => {
  tell(error);
  engineText.innerHTML = '<a href="?engine=simulated">Simulate a model</a>';
});

import { isStepCount, ToolLoopAgent, tool } from 'ai';
import { createTempo } from 'tempo-llm';
import { createTempoProvider } from 'tempo-llm/ai-sdk';
import { z } from 'zod';

const MODEL = 'Qwen2.5-0.5B-Instruct-q4f16_1-MLC';

export const simulated = new URLSearchParams(location.search).get('engine') === 'simulated';

export const tempo = createTempo(simulated ? { engine: 'simulated' } : { model: MODEL });

const provider = createTempoProvider(tempo, {
  app: 'chat',
  slo: { class: 'latency', ttft: 800, tbt: 80 },
});

/** Runs in the page: no route, no server, no key. */
export const agent = new ToolLoopAgent({
  model: provider(),
  instructions: 'Answer in a few sentences. Ask for the time where it is needed.',
  tools: {
    time: tool({
      description: 'The time of day in a time zone, such as Europe/Paris.',
      inputSchema: z.object({ timeZone: z.string() }),
      execute: ({ timeZone }) => new Date().toLocaleTimeString('en', { timeZone }),
    }),
  },
  stopWhen: isStepCount(3),
  maxOutputTokens: 300,
});

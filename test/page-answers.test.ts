import { expect, it, vi } from 'vitest';
import type { ChatCompletionParams } from '../src/client';
import type { Scenario } from '../src/demo/agent/scenarios';
import type { Submission } from '../src/server/server-types';

const asked: Submission[] = [];

/** The page's Tempo, on a server in this thread that tells what it is asked. */
vi.mock('../src/demo/store/tempo', async () => {
  const { createTempo } = await import('../src/client');
  const { TempoServer } = await import('../src/server');
  class Telling extends TempoServer {
    override submit(submission: Submission) {
      asked.push(submission);
      return super.submit(submission);
    }
  }
  return { tempo: createTempo({ engine: 'simulated', host: new Telling() }) };
});

const { runAgent } = await import('../src/demo/agent/agent');
const { complete } = await import('../src/demo/store/complete');
const { tempo } = await import('../src/demo/store/tempo');

const HELLO: ChatCompletionParams = { messages: [{ role: 'user', content: 'Hello' }] };
const thinking = () => asked.map(({ params }) => ('extra_body' in params ? params.extra_body : {}));

const scenario = (content: string): Scenario => ({
  task: 'Say it.',
  plan: 'I will say it.',
  rounds: [() => ({ content })],
});

const run = (said: Scenario) =>
  runAgent('Say it.', {
    deadlineMs: 60_000,
    scenario: said,
    signal: new AbortController().signal,
    onStep: () => {},
  });

it('what the page asks is answered without thinking aloud, by the agent, too', async () => {
  asked.length = 0;
  await complete(tempo.app('summarizer').chat.completions, { ...HELLO, max_tokens: 5 });
  expect(await run(scenario('It is said.'))).toMatchObject({ answer: 'It is said.' });
  expect(asked).toHaveLength(3);
  expect(new Set(thinking().map((extra) => JSON.stringify(extra)))).toEqual(
    new Set(['{"enable_thinking":false}']),
  );
});

it('an agent’s answer of nothing is a failure', async () => {
  await expect(run(scenario(' \n'))).rejects.toMatchObject({
    code: 'engine_failed',
    message: expect.stringContaining('no answer'),
  });
});

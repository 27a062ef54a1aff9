import { describe, expect, it } from 'vitest';
import type { ChatCompletionParams } from './chat-types';
import { Harness } from './testing/harness';

const MESSAGES: ChatCompletionParams['messages'] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'What time is it?' },
];
const tools: ChatCompletionParams['tools'] = [
  { type: 'function', function: { name: 'clock', description: 'The time of day.' } },
];

describe('the tokens of a prompt', () => {
  it.each<[string, Partial<ChatCompletionParams>]>([
    ['messages', {}],
    ['tools', { tools }],
    ['a conversation', { messages: [...MESSAGES, { role: 'assistant', content: 'Four.' }] }],
    ['a system message alone', { messages: MESSAGES.slice(0, 1) }],
    [
      'an answer that has begun',
      {
        messages: [...MESSAGES, { role: 'assistant', content: 'It is' }],
        continue_final_message: true,
      },
    ],
  ])('are those that it has when it is served: %s', async (_, extra) => {
    const harness = await new Harness().loaded();
    const params = { messages: MESSAGES, max_tokens: 1, ...extra };
    const counted = await harness.server.countTokens(params);
    const { end } = await harness.ask(params);
    if (end.type !== 'done') throw new Error('It was not served.');
    expect(counted).toEqual({ ok: true, value: end.usage.prompt_tokens });
  });

  it('are counted beyond what fits, with nothing queued', async () => {
    const harness = await new Harness().loaded();
    const long = [{ role: 'user' as const, content: 'word '.repeat(9000) }];
    const counted = await harness.server.countTokens({ messages: long });
    expect(counted.ok && counted.value).toBeGreaterThan(9000);
    expect((await harness.snapshot()).metrics.total.submitted).toBe(0);
  });

  it('are none where the request is none, which is told with its field', async () => {
    const harness = await new Harness().loaded();
    expect(await harness.server.countTokens({ messages: [] })).toMatchObject({
      ok: false,
      error: { code: 'invalid_request', param: 'messages' },
    });
    expect(await harness.server.countTokens(JSON.parse('null'))).toMatchObject({
      ok: false,
      error: { code: 'invalid_request', param: 'params' },
    });
  });

  it('wait for a device that was lost', async () => {
    const harness: Harness = await new Harness({
      mishap: (step, device) => step === 2 && device.lose(),
    }).loaded();
    const asked = harness.ask({ max_tokens: 5 });
    while (harness.states.at(-1)?.phase !== 'recovering')
      await new Promise((r) => setTimeout(r, 1));
    expect(await harness.server.countTokens({ messages: MESSAGES })).toMatchObject({ ok: true });
    expect(harness.states.at(-1)?.phase).toBe('ready');
    await asked;
  });
});

it('the state says what a prompt may have, and that is what is taken', async () => {
  const harness = await new Harness().loaded();
  const state = harness.states.at(-1);
  if (state?.phase !== 'ready') throw new Error('It is not ready.');
  const { contextWindow, maxPromptTokens, defaults } = state.limits;
  expect(contextWindow).toBe(harness.device.capacity.contextWindow);
  expect(maxPromptTokens).toBe(contextWindow - 1);
  expect(defaults).toEqual({ temperature: 0.7, topP: 0.95 });

  const overhead = await harness.server.countTokens({ messages: [{ role: 'user', content: '' }] });
  if (!overhead.ok) throw new Error(overhead.error.message);
  const words = (count: number) => [
    { role: 'user' as const, content: ' word'.repeat(count - overhead.value) },
  ];
  const fits = await harness.ask({ messages: words(maxPromptTokens) });
  expect(fits.end).toMatchObject({ type: 'done', usage: { prompt_tokens: maxPromptTokens } });
  const tooLong = await harness.ask({ messages: words(maxPromptTokens + 1) });
  expect(tooLong.end).toMatchObject({ error: { code: 'context_length_exceeded' } });
});

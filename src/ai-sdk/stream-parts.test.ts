import { describe, expect, it } from 'vitest';
import type { ChatCompletionChunk } from '../client';
import { StreamParts } from './stream-parts';

const USAGE = {
  prompt_tokens: 5,
  completion_tokens: 4,
  total_tokens: 9,
  prompt_tokens_details: { cached_tokens: 2 },
  extra: {
    queued_ms: 1,
    ttft_ms: 2,
    tbt_ms: 3,
    ttlt_ms: 4,
    slo_met: true,
    service_gain: 5,
    preemptions: 0,
  },
};

const token = (text: string) => ({ token: text, bytes: [65], logprob: -1, top_logprobs: [] });

type Choice = ChatCompletionChunk['choices'][number];

function partsOf(choices: Partial<Choice>[], given: object = USAGE) {
  const usage = given as ChatCompletionChunk['usage'];
  const parts = new StreamParts(undefined);
  const header = { id: 'c', created: 1, model: 'm', simulated: false };
  const chunk = { ...header, object: 'chat.completion.chunk' as const };
  const streamed = choices.flatMap((choice) => [
    ...parts.take({
      ...chunk,
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: null, ...choice }],
    }),
  ]);
  return [...streamed, ...parts.take({ ...chunk, choices: [], usage }), ...parts.finish()];
}

const finishOf = (...args: Parameters<typeof partsOf>) => {
  const finish = partsOf(...args).at(-1);
  if (finish?.type !== 'finish') throw new Error('it did not finish');
  return finish;
};

describe('the end of a stream', () => {
  it('has the log probabilities of all its tokens', () => {
    const { providerMetadata } = finishOf([
      { delta: { content: 'A' }, logprobs: { content: [token('A')] } },
      { delta: { content: 'B' }, logprobs: { content: [token('B'), token('C')] } },
      { finish_reason: 'stop' },
    ]);
    expect(providerMetadata?.tempo).toEqual({
      ...USAGE.extra,
      simulated: false,
      logprobs: [token('A'), token('B'), token('C')],
    });
  });

  it('tells how much was reasoning where the server counts it, or there was none', () => {
    const thought = [{ delta: { reasoning_content: 'Hm.' } }, { delta: { content: 'A' } }];
    expect(finishOf(thought).usage.outputTokens).toEqual({
      total: 4,
      text: undefined,
      reasoning: undefined,
    });
    const counted = { ...USAGE, completion_tokens_details: { reasoning_tokens: 3 } };
    expect(finishOf(thought, counted).usage.outputTokens).toEqual({
      total: 4,
      text: 1,
      reasoning: 3,
    });
    expect(finishOf([{ delta: { content: 'A' } }]).usage).toMatchObject({
      inputTokens: { total: 5, noCache: 3, cacheRead: 2 },
      outputTokens: { total: 4, text: 4, reasoning: 0 },
    });
  });

  it('of an answer that was cut off gives its last call as far as it came', () => {
    const call = { index: 0, id: 'c1', function: { name: 'look', arguments: '{"at": "s' } };
    const parts = partsOf([{ delta: { tool_calls: [call] } }, { finish_reason: 'length' }]);
    expect(parts.slice(-2)).toMatchObject([
      { type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: '{"at": "s' },
      { type: 'finish', finishReason: { unified: 'length', raw: 'length' } },
    ]);
  });
});

it('a text that goes on after thoughts or calls is a block of its own', () => {
  const call = { index: 0, id: 'c1', function: { name: 'look', arguments: '{}' } };
  const parts = partsOf([
    { delta: { content: 'A' } },
    { delta: { reasoning_content: 'B' } },
    { delta: { content: 'C' } },
    { delta: { tool_calls: [call] } },
    { delta: { content: 'D' } },
  ]);
  expect(parts.map((part) => ('id' in part ? `${part.type} ${part.id}` : part.type))).toEqual([
    'response-metadata c',
    ...['text-start text-0', 'text-delta text-0', 'text-end text-0'],
    ...['reasoning-start reasoning-1', 'reasoning-delta reasoning-1', 'reasoning-end reasoning-1'],
    ...['text-start text-2', 'text-delta text-2', 'text-end text-2'],
    ...['tool-input-start c1', 'tool-input-delta c1', 'tool-input-end c1', 'tool-call'],
    ...['text-start text-3', 'text-delta text-3', 'text-end text-3'],
    'finish',
  ]);
});

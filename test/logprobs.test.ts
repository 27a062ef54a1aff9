import { describe, expect, it } from 'vitest';
import {
  type ChatCompletionChunk,
  type ChatCompletionParams,
  createTempo,
  type Tempo,
} from '../src/client';
import { STAND_IN_MODEL, StandIn } from '../src/engine/testing/stand-in';
import { loadWebLlmEngine } from '../src/engine/webllm';
import { TempoServer } from '../src/server';

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] } satisfies ChatCompletionParams;
const CLOCK = { type: 'function', function: { name: 'clock' } } as const;
const CALL = '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>';

const LIKE_A_CALL = `It is<tool_call>\n{"name": "${'x'.repeat(100)}`;

const simulated = () => createTempo({ engine: 'simulated', host: new TempoServer() });

/** Tempo on the WebLLM engine, with a stand-in for WebLLM itself, whose tokens are bytes. */
async function onStandIn(): Promise<Tempo> {
  const world = new StandIn();
  const server = new TempoServer({
    engines: {
      webllm: {
        check: async () => {},
        load: (config, loading) =>
          loadWebLlmEngine({
            ...loading,
            model: config.model,
            webllm: world.webllm,
            gpu: world.gpu,
            maxSequences: 8,
            kvBudgetBytes: 64 * 4096,
          }),
      },
    },
  });
  const tempo = createTempo({ engine: 'webllm', model: STAND_IN_MODEL, host: server });
  await tempo.ready;
  return tempo;
}

const entriesOf = (chunks: readonly ChatCompletionChunk[]) =>
  chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
const textOf = (bytes: readonly number[]) =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));

async function stream(tempo: Tempo, params: Partial<ChatCompletionParams>) {
  const chunks: ChatCompletionChunk[] = [];
  const asked = { ...HELLO, logprobs: true, ...params, stream: true as const };
  for await (const chunk of await tempo.app('a').chat.completions.create(asked)) chunks.push(chunk);
  const content = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
  return { chunks, content, entries: entriesOf(chunks) };
}

describe('log probabilities', () => {
  it.each<[string, string, Partial<ChatCompletionParams>, string]>([
    ['the answer', 'It is four. 😀', {}, 'It is four. 😀'],
    ['nothing of a stop string', 'It is four. Or five.', { stop: [' Or'] }, 'It is four.'],
    ['nothing of the reasoning', '<think>\nHm.\n</think>\n\nFour.', {}, 'Four.'],
    [
      'the reasoning that stays, with nothing of a call or stop string after it',
      `<think>\nSay <tool_call> or stop.\n</think>\n\nFour.\n${CALL} stop.`,
      { tools: [CLOCK], stop: ['stop'], separate_reasoning: false },
      '<think>\nSay <tool_call> or stop.\n</think>\n\nFour.',
    ],
    ['nothing of a call', `Let me see.\n${CALL}\n`, { tools: [CLOCK] }, 'Let me see.'],
    ['words that look like one', LIKE_A_CALL, { tools: [CLOCK] }, LIKE_A_CALL],
    [
      'an answer that may have been a call',
      '{"a": 1}',
      { tools: [CLOCK], response_format: { type: 'json_object' } },
      '{"a": 1}',
    ],
  ])('are those of the content’s tokens, which are %s', async (_, said, params, wanted) => {
    const tempo = simulated();
    const { content, entries } = await stream(tempo, { ...params, simulate: { content: said } });
    const told = textOf(entries.flatMap(({ bytes }) => bytes));
    expect(told).toBe(content);
    expect(content).toBe(wanted);
    await tempo.dispose();
  });

  it('of the simulated engine are made up, and say so', async () => {
    const tempo = simulated();
    const { choices } = await tempo.app('a').chat.completions.create({
      ...HELLO,
      logprobs: true,
      top_logprobs: 3,
      max_tokens: 5,
      seed: 1,
    });
    const { content = [], simulated: madeUp } = choices[0].logprobs ?? {};
    expect(madeUp).toBe(true);
    expect(content).toHaveLength(5);
    for (const { token, bytes, logprob, top_logprobs: top } of content) {
      expect(textOf(bytes)).toBe(token);
      expect(top[0]).toEqual({ token, bytes, logprob });
      expect(new Set(top.map((other) => other.token)).size).toBe(3);
      const sum = top.reduce((total, other) => total + Math.exp(other.logprob), 0);
      expect(sum).toBeGreaterThan(0.5);
      expect(sum).toBeLessThanOrEqual(1);
    }
    const { chunks } = await stream(tempo, { max_tokens: 2 });
    expect(chunks.some(({ choices: [choice] }) => choice?.logprobs?.simulated)).toBe(true);
    await tempo.dispose();
  });

  it('are left out where nobody asks', async () => {
    const tempo = simulated();
    const { choices } = await tempo.app('a').chat.completions.create({ ...HELLO, max_tokens: 3 });
    expect(choices[0].logprobs).toBeNull();
    await tempo.dispose();
  });

  it('of WebLLM’s engine have the tokens’ own bytes', async () => {
    const tempo = await onStandIn();
    const { content, entries } = await stream(tempo, {
      temperature: 0,
      ignore_eos: true,
      max_tokens: 60,
      top_logprobs: 2,
    });
    // The stand-in writes bytes at random: most are no text, and each is a token.
    expect(textOf(entries.flatMap(({ bytes }) => bytes))).toBe(content);
    const alone = entries.filter(({ bytes }) => bytes.length === 1);
    expect(alone.length).toBeGreaterThan(40);
    const high = alone.find(({ bytes: [byte] }) => byte >= 0x80);
    expect(high?.token).toBe(`\\x${high?.bytes[0].toString(16)}`);
    for (const { token, top_logprobs: top } of entries) expect(top[0].token).toBe(token);
    expect(entries.every(({ logprob }) => logprob <= 0)).toBe(true);
    await tempo.dispose();
  });

  it('of a text completion say where each token begins', async () => {
    const tempo = simulated();
    const params = { prompt: 'Once', logprobs: 2, simulate: { content: 'Häuser sind 😀 groß.' } };
    const { choices } = await tempo.app('a').completions.create(params);
    const [{ text, logprobs }] = choices;
    expect(logprobs?.simulated).toBe(true);
    const { tokens = [], text_offset: offsets = [] } = logprobs ?? {};
    expect(tokens.join('')).toBe(text);
    tokens.forEach((token, i) => {
      expect(text.slice(offsets[i], offsets[i] + token.length)).toBe(token);
    });
    const streamed: number[] = [];
    const chunks = await tempo.app('a').completions.create({ ...params, stream: true });
    for await (const chunk of chunks) {
      streamed.push(...(chunk.choices[0]?.logprobs?.text_offset ?? []));
    }
    expect(streamed).toEqual(offsets);
    await tempo.dispose();
  });
});

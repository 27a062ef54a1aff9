import { afterEach, describe, expect, it } from 'vitest';
import { type ChatCompletionChunk, type ChatCompletionParams, createTempo } from '../src/client';
import { TempoServer } from '../src/worker/server';

const tempos: { dispose(): Promise<void> }[] = [];
afterEach(() => Promise.all(tempos.splice(0).map((tempo) => tempo.dispose())));

function app() {
  const tempo = createTempo({ engine: 'simulated', host: new TempoServer() });
  tempos.push(tempo);
  return tempo.app('test');
}

const messages = [{ role: 'user', content: 'Tell me of the sea.' }] as const;

interface Told {
  text: string;
  tokens: number[];
  prompt: number[][];
  finish: string | null;
}

async function told(params: Omit<ChatCompletionParams, 'messages'>, of = app()): Promise<Told> {
  const stream = await of.chat.completions.create({ messages, ...params, stream: true });
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  return {
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    tokens: choices.flatMap(({ delta }) => delta.token_ids ?? []),
    prompt: choices.flatMap(({ delta }) =>
      delta.prompt_token_ids ? [delta.prompt_token_ids] : [],
    ),
    finish: choices.at(-1)?.finish_reason ?? null,
  };
}

describe('token ids', () => {
  it('are told in a stream where they are asked for: each once, the prompt’s once', async () => {
    const { tokens, prompt, finish } = await told({ return_token_ids: true, max_tokens: 20 });
    expect(finish).toBe('length');
    expect(tokens).toHaveLength(20);
    expect(prompt).toHaveLength(1);
    expect(prompt[0].length).toBeGreaterThan(0);
    expect(await told({ max_tokens: 20 })).toMatchObject({ tokens: [], prompt: [] });
  });

  it('of a text completion are told, too', async () => {
    const stream = await app().completions.create({
      prompt: [5, 6, 7],
      max_tokens: 3,
      ignore_eos: true,
      return_token_ids: true,
      stream: true,
    });
    const choices = [];
    for await (const chunk of stream) choices.push(...chunk.choices);
    expect(choices.flatMap(({ token_ids: ids }) => ids ?? [])).toHaveLength(3);
    expect(choices[0].prompt_token_ids).toEqual([5, 6, 7]);
  });
});

describe('an answer that goes on after tokens it was given', () => {
  it.each([1, 7, 20])('is the one that never stopped, after %d tokens', async (count) => {
    const params = { seed: 11, max_tokens: 30, ignore_eos: true, return_token_ids: true };
    const whole = await told(params);
    const generated = whole.tokens.slice(0, count);
    const rest = await told({ ...params, generated_token_ids: generated });
    expect([...generated, ...rest.tokens]).toEqual(whole.tokens);
    expect(whole.text.endsWith(rest.text)).toBe(true);
    expect(rest.text.length).toBeLessThan(whole.text.length);
    expect(rest.finish).toBe('length');
  });

  const object = { type: 'object', properties: { size: { type: 'integer' } }, required: ['size'] };
  it.each<[string, Omit<ChatCompletionParams, 'messages'>]>([
    [
      'an answer that follows a schema',
      { response_format: { type: 'json_schema', json_schema: { name: 'size', schema: object } } },
    ],
    [
      'a call of a tool',
      {
        tools: [{ type: 'function', function: { name: 'measure', parameters: object } }],
        simulate: { tool_calls: [{ name: 'measure', arguments: { size: 7 } }] },
      },
    ],
  ])('in the middle of %s, is too', async (_, form) => {
    const said = async (params: Omit<ChatCompletionParams, 'messages'>) => {
      const stream = await app().chat.completions.create({
        messages,
        seed: 5,
        return_token_ids: true,
        ...form,
        ...params,
        stream: true,
      });
      const pieces: { tokens: number[]; text: string }[] = [];
      for await (const { choices } of stream) {
        for (const { delta } of choices) {
          const calls = delta.tool_calls?.map((call) => call.function?.arguments ?? '') ?? [];
          const text = (delta.content ?? '') + calls.join('');
          pieces.push({ tokens: delta.token_ids ?? [], text });
        }
      }
      return pieces;
    };
    const textOf = (pieces: { text: string }[]) => pieces.map(({ text }) => text).join('');
    const whole = await said({});
    expect(JSON.parse(textOf(whole))).toEqual({ size: expect.any(Number) });
    for (let count = 1; count < whole.length; count += 5) {
      const told = whole.slice(0, count);
      const rest = await said({ generated_token_ids: told.flatMap(({ tokens }) => tokens) });
      expect(textOf(told) + textOf(rest), `after ${count}`).toBe(textOf(whole));
    }
  });

  it('counts what was given as prompt, and max_tokens over both', async () => {
    const tempo = app();
    const params = { seed: 3, max_tokens: 12, ignore_eos: true };
    const { tokens, prompt } = await told({ ...params, return_token_ids: true }, tempo);
    const { usage } = await tempo.chat.completions.create({
      messages,
      ...params,
      generated_token_ids: tokens.slice(0, 5),
    });
    expect(usage.prompt_tokens).toBe(prompt[0].length + 5);
    expect(usage.completion_tokens).toBe(7);
  });

  it.each<[string, Partial<ChatCompletionParams>]>([
    ['as many as there may be', { max_tokens: 2 }],
    ['tokens that the model does not have', { generated_token_ids: [2 ** 31] }],
    ['no list', { generated_token_ids: 3 as unknown as number[] }],
    ['several choices', { n: 2 }],
  ])('is refused with %s', async (_, params) => {
    const create = app().chat.completions.create({
      messages,
      generated_token_ids: [5, 6],
      ...params,
    });
    await expect(create).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'generated_token_ids',
    });
  });
});

describe('reasoning', () => {
  it('stays in the content where it is not to be parted from it', async () => {
    const content = '<think>\nHm.\n</think>\n\nBlue.';
    const simulate = { content };
    expect((await told({ simulate })).text).toBe('Blue.');
    expect((await told({ simulate, separate_reasoning: false })).text).toBe(content);
  });

  it('that stays there is read neither for stop strings nor for calls', async () => {
    const thought = '<think>\nOne.\n\n<tool_call>\n{"name": "tide", "arguments": {}}\n</think>\n\n';
    const { choices } = await app().chat.completions.create({
      messages,
      tools: [{ type: 'function', function: { name: 'tide' } }],
      stop: ['\n\n'],
      separate_reasoning: false,
      simulate: { content: `${thought}Two.\n\nThree.` },
    });
    const [{ message, finish_reason: reason }] = choices;
    expect(message.content).toBe(`${thought}Two.`);
    expect(message.tool_calls).toBeUndefined();
    expect(reason).toBe('stop');
  });
});

describe('a tool’s result', () => {
  it('needs no call where it names none: calls may be written in the text', async () => {
    const conversation = [
      ...messages,
      { role: 'assistant', content: '<function>{"name": "tide"}</function>' },
      { role: 'tool', content: 'high' },
    ] as const;
    const answer = app().chat.completions.create({ messages: conversation, max_tokens: 4 });
    expect((await answer).choices[0].finish_reason).toMatch(/stop|length/);
  });
});

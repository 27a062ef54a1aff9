import { describe, expect, it } from 'vitest';
import { all, CHAT, engineOf, user } from './setup';

const said = (content: string) => ({ simulate: { content } });

describe('a chat completion', () => {
  it('has WebLLM’s shape, and names the model that was loaded', async () => {
    const engine = await engineOf();
    const reply = await engine.chat.completions.create({
      messages: [user('Hello')],
      ...said('Good day to you.'),
    });
    expect(reply).toMatchObject({
      object: 'chat.completion',
      model: CHAT,
      simulated: true,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          logprobs: null,
          message: { role: 'assistant', content: 'Good day to you.' },
        },
      ],
    });
    expect(await engine.getMessage()).toBe('Good day to you.');
  });

  it('tells usage in WebLLM’s units beside Tempo’s', async () => {
    const engine = await engineOf();
    const { usage } = await engine.chatCompletion({
      messages: [user('Hello')],
      max_tokens: 9,
      ignore_eos: true,
    });
    if (usage === undefined) throw new Error('There is no usage.');
    const { extra } = usage;
    expect(usage.completion_tokens).toBe(9);
    expect(usage.total_tokens).toBe(usage.prompt_tokens + 9);
    expect(extra.e2e_latency_s).toBeCloseTo((extra.ttlt_ms ?? 0) / 1000, 9);
    expect(extra.time_to_first_token_s).toBeCloseTo((extra.ttft_ms ?? 0) / 1000, 9);
    expect(extra.time_per_output_token_s).toBeCloseTo((extra.tbt_ms ?? 0) / 1000, 9);
    expect(extra.decode_tokens_per_s).toBeCloseTo(1 / extra.time_per_output_token_s, 6);
    expect(extra.prefill_tokens_per_s).toBeGreaterThan(0);
  });

  it('counts of a conversation’s next turn only what is new', async () => {
    const engine = await engineOf();
    const messages = [
      user('A question with rather many words in it, so that it takes some pages.'),
    ];
    const first = await engine.chatCompletion({ messages, ...said('An answer.') });
    const turn = [
      ...messages,
      { role: 'assistant' as const, content: 'An answer.' },
      user('More!'),
    ];
    const second = await engine.chatCompletion({ messages: turn, ...said('More.') });
    expect(second.usage?.prompt_tokens).toBeLessThan(first.usage?.prompt_tokens ?? 0);
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThan(0);
  });

  it('streams text with its role, then an empty end, then the usage', async () => {
    const engine = await engineOf();
    const stream = await engine.chat.completions.create({
      messages: [user('Hello')],
      stream: true,
      stream_options: { include_usage: true },
      ...said('One two three.'),
    });
    const chunks = await all(stream);
    const texts = chunks.slice(0, -2);
    for (const { choices } of texts) {
      expect(choices).toMatchObject([
        { index: 0, finish_reason: null, logprobs: null, delta: { role: 'assistant' } },
      ]);
      expect(choices[0].delta.content).not.toBe('');
    }
    expect(texts.map(({ choices }) => choices[0].delta.content).join('')).toBe('One two three.');
    expect(chunks.at(-2)?.choices).toEqual([{ delta: {}, finish_reason: 'stop', index: 0 }]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], object: 'chat.completion.chunk' });
    expect(chunks.filter(({ usage }) => usage)).toHaveLength(1);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set([CHAT]));
  });

  it('streams no usage unless it is asked for', async () => {
    const engine = await engineOf();
    const stream = await engine.chatCompletion({
      messages: [user('Hi')],
      stream: true,
      ...said('Ho'),
    });
    expect((await all(stream)).filter(({ usage }) => usage)).toEqual([]);
  });

  it('keeps a thinking model’s reasoning where WebLLM has it: in the text', async () => {
    const engine = await engineOf();
    const text = '<think>\nHm.\n</think>\n\nBlue.';
    const reply = await engine.chatCompletion({ messages: [user('Why?')], ...said(text) });
    expect(reply.choices[0].message.content).toBe(text);
  });

  it('gives tool calls whole, on the last chunk of a stream', async () => {
    const engine = await engineOf();
    const request = {
      messages: [user('What time is it in Rome?')],
      tools: [
        {
          type: 'function' as const,
          function: { name: 'clock', parameters: { type: 'object', properties: {} } },
        },
      ],
      simulate: { tool_calls: [{ name: 'clock', arguments: { city: 'Rome' } }] },
    };
    const call = { type: 'function', function: { name: 'clock', arguments: '{"city":"Rome"}' } };
    const { choices } = await engine.chatCompletion(request);
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [call] },
    });
    const chunks = await all(await engine.chatCompletion({ ...request, stream: true }));
    expect(chunks).toHaveLength(1);
    expect(chunks[0].choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      delta: { role: 'assistant', tool_calls: [{ index: 0, ...call }] },
    });
  });

  it('takes the calls and results of earlier turns, and results of calls in words', async () => {
    const engine = await engineOf();
    const call = { id: '0', type: 'function' as const, function: { name: 'f', arguments: '{}' } };
    const result = { role: 'tool' as const, content: '22', tool_call_id: '0' };
    const asked = { role: 'assistant' as const, content: null, tool_calls: [call] };
    const inWords = { role: 'assistant' as const, content: '<function>{"name": "f"}</function>' };
    for (const turn of [asked, inWords]) {
      const reply = await engine.chatCompletion({
        messages: [user('How warm?'), turn, result],
        ...said('Warm.'),
      });
      expect(reply.choices[0].message.content).toBe('Warm.');
    }
  });

  it('tells logprobs, the likeliest with them, streamed or not', async () => {
    const engine = await engineOf();
    const request = { messages: [user('Hi')], max_tokens: 5, logprobs: true, top_logprobs: 2 };
    const { choices } = await engine.chatCompletion({ ...request, ignore_eos: true });
    const told = choices[0].logprobs?.content ?? [];
    const stream = await engine.chatCompletion({ ...request, ignore_eos: true, stream: true });
    const streamed = (await all(stream)).flatMap(
      (chunk) => chunk.choices[0].logprobs?.content ?? [],
    );
    expect(streamed).toHaveLength(told.length);
  });

  it('answers n times, streamed as well; the message is the last choice’s', async () => {
    const engine = await engineOf();
    const request = { messages: [user('Hi')], n: 3, seed: 5, max_tokens: 8, ignore_eos: true };
    const { choices } = await engine.chatCompletion(request);
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(await engine.getMessage()).toBe(choices[2].message.content);
    const chunks = await all(await engine.chatCompletion({ ...request, stream: true }));
    for (const { index, message } of choices) {
      const own = chunks.flatMap((chunk) => chunk.choices).filter((one) => one.index === index);
      expect(own.map(({ delta }) => delta.content ?? '').join('')).toBe(message.content);
    }
  });

  it('is the same for the same seed', async () => {
    const engine = await engineOf();
    const request = {
      messages: [user('A poem!')],
      seed: 42,
      n: 2,
      temperature: 1.2,
      max_tokens: 12,
    };
    const texts = async () =>
      (await engine.chatCompletion(request)).choices.map(({ message }) => message.content);
    expect(await texts()).toEqual(await texts());
  });

  it('follows a schema as text', async () => {
    const engine = await engineOf();
    const schema = JSON.stringify({
      type: 'object',
      properties: { size: { type: 'integer' } },
      required: ['size'],
    });
    const { choices } = await engine.chatCompletion({
      messages: [user('JSON!')],
      response_format: { type: 'json_object', schema },
    });
    expect(JSON.parse(choices[0].message.content ?? '')).toEqual({ size: expect.any(Number) });
  });

  it('runs beside others: none waits for another’s end', async () => {
    const engine = await engineOf();
    const order: string[] = [];
    const run = async (name: string, tokens: number) => {
      await engine.chatCompletion({ messages: [user(name)], max_tokens: tokens, ignore_eos: true });
      order.push(name);
    };
    await Promise.all([run('long', 60), run('short', 3)]);
    expect(order).toEqual(['short', 'long']);
  });
});

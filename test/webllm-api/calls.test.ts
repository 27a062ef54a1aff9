import { describe, expect, it } from 'vitest';
import { MLCEngine } from '../../src/webllm-api';
import { all, CHAT, EMBED, EMBED_OTHER, engineOf, simulated, thrown, user } from './setup';

describe('a text completion', () => {
  it('has WebLLM’s shape; echo begins it with the prompt', async () => {
    const engine = await engineOf();
    const request = { prompt: 'Once upon', n: 2, simulate: { content: ' a time' } };
    const reply = await engine.completions.create({ ...request, echo: true });
    expect(reply).toMatchObject({
      object: 'text_completion',
      model: CHAT,
      choices: [
        { index: 0, text: 'Once upon a time', finish_reason: 'stop', logprobs: null },
        { index: 1, text: 'Once upon a time', finish_reason: 'stop', logprobs: null },
      ],
      usage: {
        completion_tokens: expect.any(Number),
        extra: { e2e_latency_s: expect.any(Number) },
      },
    });
    const plain = await engine.completion(request);
    expect(plain.choices[0].text).toBe(' a time');
    expect(await engine.getMessage()).toBe(' a time');
  });

  it('streams pieces, an empty end, and the usage where it is asked for', async () => {
    const engine = await engineOf();
    const chunks = await all(
      await engine.completions.create({
        prompt: 'Once upon',
        stream: true,
        stream_options: { include_usage: true },
        simulate: { content: ' a time there was' },
      }),
    );
    const texts = chunks.flatMap(({ choices }) => choices.map(({ text }) => text));
    expect(texts.join('')).toBe(' a time there was');
    expect(chunks.at(-2)?.choices).toEqual([{ text: '', finish_reason: 'stop', index: 0 }]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: expect.any(Number) },
    });
  });

  it('cannot be kept and gone on with', async () => {
    const engine = await engineOf();
    const extra_body = { resumable: { enabled: true } };
    expect(await thrown(engine.completion({ prompt: 'x', extra_body } as never))).toMatchObject({
      name: 'UnsupportedFieldsError',
      param: 'extra_body.resumable',
    });
  });
});

describe('embeddings', () => {
  it('have WebLLM’s shape', async () => {
    const engine = await engineOf(EMBED);
    const reply = await engine.embeddings.create({ input: ['a text', 'another'] });
    expect(reply).toMatchObject({
      object: 'list',
      model: EMBED,
      data: [{ object: 'embedding', index: 0 }, { index: 1 }],
      usage: {
        prompt_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
        extra: { prefill_tokens_per_s: expect.any(Number) },
      },
    });
    expect(Math.hypot(...reply.data[0].embedding)).toBeCloseTo(1, 5);
  });

  it('are WebLLM’s alone: nothing empty, no base64', async () => {
    const engine = await engineOf([EMBED, EMBED_OTHER]);
    const model = EMBED;
    expect(await thrown(engine.embedding({ input: '', model }))).toMatchObject({
      name: 'EmbeddingInputEmptyError',
    });
    const base64 = engine.embedding({ input: 'x', model, encoding_format: 'base64' });
    expect(await thrown(base64)).toMatchObject({ name: 'EmbeddingUnsupportedEncodingFormatError' });
  });
});

describe('forwardTokensAndSample', () => {
  it('appends tokens, and draws the next, until resetChat', async () => {
    const engine = await engineOf();
    // The simulated model's tokens are the words that it has met.
    await engine.chatCompletion({ messages: [user('one two three four five six')], max_tokens: 1 });
    const run = async () => {
      const tokens = [await engine.forwardTokensAndSample([3, 4], true)];
      for (let i = 0; i < 4; i++) {
        tokens.push(await engine.forwardTokensAndSample([tokens[i]], false));
      }
      return tokens;
    };
    expect((await run()).every((token) => Number.isInteger(token) && token >= 0)).toBe(true);
    expect(await engine.runtimeStatsText()).toMatch(/^prefill: [1-9]/);
    await engine.resetChat();
    await run();
  });

  it('refuses what is no token', async () => {
    const engine = await engineOf();
    for (const ids of [['x'] as unknown as number[], [], [-1], [1.5]]) {
      const wrong = engine.forwardTokensAndSample(ids, true);
      expect(await thrown(wrong)).toMatchObject({ code: 'invalid_request', param: 'inputIds' });
    }
    expect(await engine.forwardTokensAndSample([1], true)).toEqual(expect.any(Number));
  });
});

describe('statistics', () => {
  it('are of all calls since resetChat, in WebLLM’s format', async () => {
    const engine = await engineOf();
    expect(await engine.runtimeStatsText()).toBe(
      'prefill: 0.0000 tokens/sec, decoding: 0.0000 tokens/sec',
    );
    const { choices } = await engine.chatCompletion({
      messages: [user('Hi')],
      max_tokens: 9,
      ignore_eos: true,
    });
    const told = await engine.runtimeStatsText();
    expect(told).toMatch(
      /^prefill: [1-9]\d*\.\d{4} tokens\/sec, decoding: [1-9]\d*\.\d{4} tokens\/sec$/,
    );
    await engine.resetChat(true);
    expect(await engine.runtimeStatsText()).toBe(told);
    expect(await engine.getMessage()).toBe(choices[0].message.content);
    await engine.resetChat();
    expect(await engine.runtimeStatsText()).toMatch(/^prefill: 0\.0000/);
  });
});

describe('a wrong request', () => {
  const messages = [user('Hi')];
  it.each<[string, object, string, string]>([
    [
      'the assistant’s last word',
      { messages: [user('a'), { role: 'assistant', content: 'b' }] },
      'MessageOrderError',
      'messages[1].role',
    ],
    [
      'instructions alone',
      { messages: [{ role: 'system', content: 'b' }] },
      'MessageOrderError',
      'messages[0].role',
    ],
    ['half a seed', { messages, seed: 1.5 }, 'SeedTypeError', 'seed'],
    ['a temperature below 0', { messages, temperature: -1 }, 'NonNegativeError', 'temperature'],
    ['top_p of 2', { messages, top_p: 2 }, 'RangeError', 'top_p'],
    ['no tokens', { messages, max_tokens: 0 }, 'MinValueError', 'max_tokens'],
    ['a bias of 101', { messages, logit_bias: { 5: 101 } }, 'RangeError', 'logit_bias[5]'],
    ['top_logprobs alone', { messages, top_logprobs: 2 }, 'DependencyError', 'top_logprobs'],
    ['another model', { messages, model: 'x' }, 'SpecifiedModelNotFoundError', 'model'],
    [
      'too many words',
      { messages: [user('word '.repeat(9000))] },
      'ContextWindowSizeExceededError',
      'messages',
    ],
  ])('with %s is refused by WebLLM’s name', async (_, request, name, param) => {
    const engine = await engineOf();
    expect(await thrown(engine.chatCompletion(request as never))).toMatchObject({ name, param });
  });

  it.each([null, undefined, 'Hi'])('that is %s is refused, too', async (request) => {
    const engine = await engineOf();
    expect(await thrown(engine.chatCompletion(request as never))).toMatchObject({
      code: 'invalid_request',
      param: 'messages',
    });
  });

  it('goes on with the assistant’s last word where it says so', async () => {
    const engine = await engineOf();
    const request = {
      messages: [user('a'), { role: 'assistant' as const, content: 'The answer' }],
      continue_final_message: true,
      simulate: { content: ' is 4.' },
    };
    const reply = await engine.chatCompletion(request);
    expect(reply.choices[0].message.content).toBe(' is 4.');
  });

  it('with fields that WebLLM does not know is served, as WebLLM serves it', async () => {
    const engine = await engineOf();
    const request = { messages, max_tokens: 2, ignore_eos: true, my_note: () => {} };
    expect((await engine.chatCompletion(request)).choices[0].finish_reason).toBe('length');
  });
});

describe('logit processors', () => {
  const processor = {
    processLogits: (x: Float32Array) => x,
    processSampledToken() {},
    resetState() {},
  };
  it('are refused at once: functions cannot go to the worker', () => {
    const registry = new Map([[CHAT, processor]]);
    const make = () => new MLCEngine({ ...simulated(), logitProcessorRegistry: registry });
    expect(make).toThrow(/logit_bias/);
    expect(
      () => new MLCEngine({ ...simulated(), logitProcessorRegistry: new Map() }),
    ).not.toThrow();
  });
});

describe('the GPU', () => {
  it('of a simulated engine takes any model; without one there is an error', async () => {
    const engine = new MLCEngine(simulated());
    expect(await engine.getMaxStorageBufferBindingSize()).toBe(2 ** 30);
    expect(await engine.getGPUVendor()).toBe('');
    const real = new MLCEngine();
    const name = 'WebGPUNotAvailableError';
    expect(await thrown(real.getGPUVendor())).toMatchObject({ name });
    expect(await thrown(real.getMaxStorageBufferBindingSize())).toMatchObject({ name });
  });
});

import { describe, expect, it } from 'vitest';
import {
  createTempo,
  type Tempo,
  type TextCompletionChunk,
  type TextLogprobs,
} from '../../src/client';
import { STAND_IN_MODEL, StandIn } from '../../src/engine/testing/stand-in';
import { loadWebLlmEngine } from '../../src/engine/webllm';
import { TempoServer } from '../../src/server';
import type { EngineKind } from '../../src/server/engines';
import { dataOf, openPage, post, tick } from './page';

const STORY = { prompt: 'Once upon a time', simulate: { content: ' there was a page.' } };

describe('completions.create', () => {
  it('gives OpenAI’s text_completion, and says that it is simulated', async () => {
    const { tempo } = openPage();
    const answer = await tempo.app('writer').completions.create({ ...STORY, echo: true });
    expect(answer).toEqual({
      id: expect.stringMatching(/^cmpl-[0-9]+$/),
      object: 'text_completion',
      created: expect.closeTo(Date.now() / 1000, -2),
      model: 'laptop-gpu',
      simulated: true,
      choices: [
        {
          index: 0,
          text: 'Once upon a time there was a page.',
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: expect.objectContaining({ prompt_tokens: 4 }),
    });
    await tempo.dispose();
  });

  it('streams what comes to the whole, in several choices', async () => {
    const { tempo } = openPage();
    const params = { prompt: 'Once', seed: 6, n: 2, max_tokens: 9, ignore_eos: true };
    const whole = await tempo.app('writer').completions.create(params);
    const stream = await tempo.app('writer').completions.create({
      ...params,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: TextCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    for (const { index, text, finish_reason: reason } of whole.choices) {
      const parts = chunks.flatMap(({ choices }) => choices.filter((one) => one.index === index));
      expect(parts.map((part) => part.text).join('')).toBe(text);
      expect(parts.map((part) => part.finish_reason).filter(Boolean)).toEqual([reason]);
    }
    expect(chunks.every(({ id, object }) => id === stream.id && object === 'text_completion')).toBe(
      true,
    );
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 18 } });
    expect((await stream.final()).choices.map(({ text }) => text)).toEqual(
      whole.choices.map(({ text }) => text),
    );
    await tempo.dispose();
  });

  it('ends by break, abort() and signal, and frees the pages', async () => {
    const { tempo, harness } = openPage();
    const { completions } = tempo.app('writer');
    const endless = { prompt: 'Go on', ignore_eos: true, stream: true } as const;
    for await (const chunk of await completions.create(endless)) if (chunk.choices[0].text) break;
    const stream = await completions.create(endless);
    let last: TextCompletionChunk | undefined;
    for await (const chunk of stream) {
      last = chunk;
      stream.abort();
    }
    expect(last?.choices[0].finish_reason).toBe('abort');
    const signal = AbortSignal.timeout(20);
    const late = completions.create({ ...endless, stream: false }, { signal });
    await expect(late).rejects.toMatchObject({ code: 'timeout' });
    await tick(20);
    expect(harness.device.usedPages).toBe(0);
    await tempo.dispose();
  });

  it('belongs to a program as chat does', async () => {
    const { tempo } = openPage();
    const program = tempo.program({ app: 'agent', deadline: 60_000 });
    await program.completions.create(STORY);
    expect(await program.end()).toMatchObject({ calls: 1 });
    await tempo.dispose();
  });

  it('names what is wrong', async () => {
    const { tempo } = openPage();
    const { completions } = tempo.app('writer');
    const bad = Object.assign({}, STORY, { suffix: 'The end.' });
    await expect(completions.create(bad)).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'suffix',
      message: expect.stringMatching(/fill no gaps/),
    });
    await expect(completions.create(JSON.parse('null'))).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await tempo.dispose();
  });

  it('runs on a server in real time, too', async () => {
    const tempo = createTempo({ engine: 'simulated', host: new TempoServer() });
    const answer = await tempo.app('writer').completions.create(STORY);
    expect(answer.choices[0].text).toBe(STORY.simulate.content);
    await tempo.dispose();
  });
});

describe('the logprobs of a text', () => {
  const PARAMS = { prompt: 'One, two', max_tokens: 6, ignore_eos: true, seed: 2, logprobs: 2 };

  /** On the engine that runs WebLLM's models, with a stand-in for WebLLM: the simulated one has none. */
  function open(): Tempo {
    const { webllm, gpu } = new StandIn();
    const load: EngineKind['load'] = ({ model }, loading) =>
      loadWebLlmEngine({ ...loading, model, webllm, gpu, maxSequences: 4, kvBudgetBytes: 2 ** 18 });
    const host = new TempoServer({ engines: { webllm: { check: async () => {}, load } } });
    return createTempo({ model: STAND_IN_MODEL, host });
  }

  it('have OpenAI’s older shape: lists of one length, and where each token begins', async () => {
    const tempo = open();
    const { choices } = await tempo.app('writer').completions.create(PARAMS);
    const { logprobs, text } = choices[0];
    if (logprobs === null) throw new Error('There are no logprobs.');
    expect(logprobs.tokens).toHaveLength(6);
    expect(logprobs.tokens.join('')).toBe(text);
    for (const [i, token] of logprobs.tokens.entries()) {
      expect(text.startsWith(token, logprobs.text_offset[i])).toBe(true);
      expect(logprobs.token_logprobs[i]).toBeLessThan(0);
      const likeliest = Object.values(logprobs.top_logprobs[i]);
      expect(likeliest.length).toBeGreaterThan(0);
      expect(likeliest.length).toBeLessThanOrEqual(2);
    }
    await tempo.dispose();
  });

  it('stream token by token, and come to the same', async () => {
    const tempo = open();
    const whole = await tempo.app('writer').completions.create(PARAMS);
    const stream = await tempo.app('writer').completions.create({ ...PARAMS, stream: true });
    const parts: TextLogprobs[] = [];
    for await (const { choices } of stream) parts.push(...choices.flatMap((c) => c.logprobs ?? []));
    expect(parts.length).toBeGreaterThan(3);
    const joined = Object.fromEntries(
      (['tokens', 'token_logprobs', 'top_logprobs', 'text_offset'] as const).map((name) => [
        name,
        parts.flatMap((part): unknown[] => part[name]),
      ]),
    );
    expect(joined).toEqual(whole.choices[0].logprobs);
    await tempo.dispose();
  });
});

describe('completions over fetch', () => {
  it('answer whole and streamed', async () => {
    const { tempo } = openPage();
    const whole = await post(tempo.fetch, 'completions', { ...STORY, model: 'laptop-gpu' });
    expect(await whole.json()).toMatchObject({
      object: 'text_completion',
      choices: [{ text: STORY.simulate.content, finish_reason: 'stop' }],
    });
    const chunks = await dataOf(
      await post(tempo.fetch, 'completions', { ...STORY, echo: true, stream: true }),
    );
    expect(chunks.map(({ choices }) => choices[0].text).join('')).toBe(
      'Once upon a time there was a page.',
    );
    await tempo.dispose();
  });

  it('name what is wrong, in OpenAI’s shape', async () => {
    const { tempo } = openPage();
    for (const [body, param] of [
      [{ prompt: ['one', 'two'] }, 'prompt'],
      [{ ...STORY, logprobs: 9 }, 'logprobs'],
      [{ ...STORY, tempo: { slo: { class: 'soon' } } }, 'tempo.slo.class'],
    ] as const) {
      const response = await post(tempo.fetch, 'completions', body);
      expect(response.status).toBe(400);
      expect((await response.json()).error).toMatchObject({ param });
    }
    await tempo.dispose();
  });
});

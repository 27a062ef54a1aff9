import { describe, expect, it } from 'vitest';
import { all, engineOf, user } from './setup';

const long = { messages: [user('Go on and on.')], max_tokens: 400, ignore_eos: true };
const finishOf = (chunks: { choices: { finish_reason: string | null }[] }[]) =>
  chunks.flatMap(({ choices }) => choices.flatMap(({ finish_reason: reason }) => reason ?? []));

describe('interruptGenerate', () => {
  it('ends every generation that runs; each gives what it has, and its usage', async () => {
    const engine = await engineOf();
    const whole = engine.chatCompletion(long);
    const stream = await engine.chatCompletion({
      ...long,
      stream: true,
      stream_options: { include_usage: true },
    });
    const text = engine.completion({ prompt: 'Once', max_tokens: 400, ignore_eos: true });
    const chunks = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
      if (chunks.length === 5) engine.interruptGenerate();
    }
    expect(finishOf(chunks)).toEqual(['abort']);
    expect(chunks.at(-1)?.usage).toMatchObject({ completion_tokens: expect.any(Number) });
    expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThanOrEqual(5);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBeLessThan(400);
    const { choices, usage } = await whole;
    expect(choices[0].finish_reason).toBe('abort');
    expect(choices[0].message.content).not.toBe('');
    expect(usage?.prompt_tokens).toBeGreaterThan(0);
    expect(usage?.extra.e2e_latency_s).toBeGreaterThan(0);
    expect((await text).choices[0].finish_reason).toBe('abort');
  });

  it('ends all choices of a request', async () => {
    const engine = await engineOf();
    const reply = engine.chatCompletion({ ...long, n: 3 });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await engine.interruptGenerate();
    const { choices } = await reply;
    expect(choices.map(({ finish_reason: reason }) => reason)).toEqual(['abort', 'abort', 'abort']);
  });

  it('ends a request that is not queued yet', async () => {
    const engine = await engineOf();
    const reply = engine.chatCompletion(long);
    await engine.interruptGenerate();
    expect((await reply).choices[0].finish_reason).toBe('abort');
  });

  it('leaves what comes after it alone', async () => {
    const engine = await engineOf();
    await engine.interruptGenerate();
    const reply = await engine.chatCompletion({ ...long, max_tokens: 4 });
    expect(reply.choices[0].finish_reason).toBe('length');
  });
});

describe('a request’s own signal', () => {
  it('ends it alone, as an interruption does', async () => {
    const engine = await engineOf();
    const controller = new AbortController();
    const other = engine.chatCompletion({ ...long, max_tokens: 30 });
    const stream = await engine.chatCompletion({
      ...long,
      stream: true,
      signal: controller.signal,
    });
    const chunks = [];
    for await (const chunk of stream) {
      chunks.push(chunk);
      controller.abort();
    }
    expect(finishOf(chunks)).toEqual(['abort']);
    expect((await other).choices[0].finish_reason).toBe('length');
  });

  it('that was aborted before lets nothing run', async () => {
    const engine = await engineOf();
    const reply = await engine.chatCompletion({ ...long, signal: AbortSignal.abort() });
    expect(reply.choices[0].finish_reason).toBe('abort');
  });
});

describe('a stream that nobody reads to its end', () => {
  it('is ended where its reader leaves off', async () => {
    const engine = await engineOf();
    const stream = await engine.chatCompletion({ ...long, stream: true });
    for await (const _ of stream) break;
    const { tempo } = engine;
    await expect.poll(() => live(tempo)).toBe(0);
  });

  it('is ended before it was begun to be read', async () => {
    const engine = await engineOf();
    const stream = await engine.chatCompletion({ ...long, stream: true });
    await stream[Symbol.asyncIterator]().return?.();
    await expect.poll(() => live(engine.tempo)).toBe(0);
  });

  it('goes on unread, and its text is known', async () => {
    const engine = await engineOf();
    const simulate = { content: 'It goes on.' };
    const stream = await engine.chatCompletion({ messages: [user('x')], stream: true, simulate });
    await expect.poll(() => engine.getMessage()).toBe('It goes on.');
    expect(finishOf(await all(stream))).toEqual(['stop']);
  });
});

async function live(tempo: Awaited<ReturnType<typeof engineOf>>['tempo']): Promise<number> {
  return new Promise((resolve) => {
    const stop = tempo?.watch(({ live: { resident, waiting } }) => {
      stop?.();
      resolve(resident + waiting);
    });
  });
}

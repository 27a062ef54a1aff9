import { expect, test } from '@playwright/test';
import { type BuiltPage, builtPage } from './built-page';
import type {} from './worker-page/main';

/** A small page of its own, bundled as a library's user would: client, worker and all. */
let served: BuiltPage;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  served = await builtPage('worker-page', 4290);
});

test.afterAll(() => served.close());

test.beforeEach(async ({ page }) => {
  await page.goto(served.url);
  await page.waitForFunction(() => globalThis.client !== undefined);
});

test('an answer streams through the worker, and the same whole', async ({ page }) => {
  const result = await page.evaluate(async () => {
    const { createTempo } = globalThis.client;
    const tempo = createTempo({ engine: 'simulated' });
    const { completions } = tempo.app('chat', {
      slo: { class: 'latency', ttft: 1000, tbt: 100 },
    }).chat;
    const params = {
      messages: [{ role: 'user' as const, content: 'Hello' }],
      simulate: { content: 'Every feature of this page shares one model.' },
    };
    const stream = await completions.create({
      ...params,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts: string[] = [];
    let usage: unknown;
    for await (const chunk of stream) {
      texts.push(chunk.choices[0]?.delta.content ?? '');
      usage = chunk.usage ?? usage;
    }
    const whole = await completions.create(params);
    await tempo.dispose();
    return { texts, usage, whole };
  });
  expect(result.texts.join('')).toBe('Every feature of this page shares one model.');
  expect(result.texts.filter((text) => text !== '').length).toBeGreaterThan(5);
  expect(result.whole.choices[0].message.content).toBe(result.texts.join(''));
  expect(result.whole.simulated).toBe(true);
  expect(result.usage).toMatchObject({ completion_tokens: result.whole.usage.completion_tokens });
});

test('three apps share the worker, and snapshots tell of them', async ({ page }) => {
  const result = await page.evaluate(async () => {
    const { createTempo } = globalThis.client;
    const tempo = createTempo({ engine: 'simulated' });
    const apps = new Set<string>();
    let snapshots = 0;
    const stop = tempo.watch((snapshot) => {
      snapshots++;
      for (const { work } of snapshot.steps) for (const { app } of work) apps.add(app);
    }, 50);
    const answers = await Promise.all(
      ['chat', 'agent', 'summarizer'].map((name) =>
        tempo.app(name).chat.completions.create({
          messages: [{ role: 'user', content: 'Go on' }],
          max_tokens: 40,
        }),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    stop();
    await tempo.dispose();
    return { apps: [...apps].sort(), snapshots, answers: answers.length };
  });
  expect(result.apps).toEqual(['agent', 'chat', 'summarizer']);
  expect(result.snapshots).toBeGreaterThan(2);
  expect(result.answers).toBe(3);
});

test('errors keep their code, their field and their sentence on the way', async ({ page }) => {
  const error = await page.evaluate(async () => {
    const { createTempo, TempoError } = globalThis.client;
    const tempo = createTempo({ engine: 'simulated' });
    const failure = await tempo
      .app('chat')
      .chat.completions.create({ messages: [] })
      .catch((thrown: unknown) => thrown);
    await tempo.dispose();
    if (!(failure instanceof TempoError)) return undefined;
    const { code, param, status, type, message } = failure;
    return { code, param, status, type, message };
  });
  expect(error).toMatchObject({
    code: 'invalid_request',
    param: 'messages',
    status: 400,
    type: 'invalid_request_error',
  });
});

test('a WebLLM model that does not exist is named, and what runs goes on', async ({ page }) => {
  const result = await page.evaluate(async () => {
    const { createTempo, TempoError } = globalThis.client;
    const code = (thrown: unknown) => (thrown instanceof TempoError ? thrown.code : 'none');
    const tempo = createTempo({ engine: 'simulated' });
    const answer = tempo.app('chat').chat.completions.create({
      messages: [{ role: 'user', content: 'Go on' }],
      simulate: { content: 'Unharmed.' },
    });
    await tempo.ready;
    const failure = await tempo.load({ engine: 'webllm', model: 'abacus-q4' }).catch(code);
    const { phase } = tempo.state;
    const { content } = (await answer).choices[0].message;
    await tempo.dispose();
    return { failure, phase, content };
  });
  expect(result).toEqual({ failure: 'unknown_model', phase: 'ready', content: 'Unharmed.' });
});

test('a browser without WebGPU is told so, in a sentence', async ({ page }) => {
  const adapter = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
  test.skip(adapter, 'this browser has WebGPU');
  const result = await page.evaluate(async () => {
    const { createTempo, TempoError } = globalThis.client;
    const model = 'SmolLM2-135M-Instruct-q0f32-MLC';
    const tempo = createTempo({ engine: 'webllm', model });
    const failure = await tempo.ready.catch((thrown: unknown) => thrown);
    const again = await tempo
      .app('chat')
      .chat.completions.create({ messages: [{ role: 'user', content: 'Hello' }] })
      .catch((thrown: unknown) => thrown);
    await tempo.load({ engine: 'simulated', model: 'laptop-gpu' });
    const { phase } = tempo.state;
    await tempo.dispose();
    const codes = [failure, again].map((e) => (e instanceof TempoError ? e.code : 'none'));
    return { codes, message: failure instanceof TempoError ? failure.message : '', phase };
  });
  expect(result.codes).toEqual(['webgpu_unavailable', 'webgpu_unavailable']);
  expect(result.message).toMatch(/WebGPU/);
  expect(result.phase).toBe('ready');
});

test('a worker that dies fails every open request, and the next load starts another', async ({
  page,
}) => {
  await page.evaluate(async () => {
    const { createTempo } = globalThis.client;
    const tempo = createTempo({ engine: 'simulated' });
    await tempo.ready;
    Object.assign(globalThis, { tempo });
  });
  const outcome = page.evaluate(async () => {
    const { completions } = globalThis.tempo.app('chat').chat;
    const params = { messages: [{ role: 'user' as const, content: 'Go on' }], ignore_eos: true };
    const code = (thrown: unknown) =>
      thrown instanceof globalThis.client.TempoError ? thrown.code : 'none';
    const stream = await completions.create({ ...params, stream: true });
    const whole = completions.create(params).catch(code);
    let tokens = 0;
    try {
      for await (const _ of stream) tokens++;
    } catch (thrown) {
      return { codes: [code(thrown), await whole], tokens, phase: globalThis.tempo.state.phase };
    }
    return undefined;
  });
  await page.waitForTimeout(300);
  await page.workers()[0].evaluate(() => {
    setTimeout(() => {
      throw new Error('a kernel went mad');
    });
  });
  const { codes, tokens, phase } = (await outcome) ?? {};
  expect(codes).toEqual(['worker_crashed', 'worker_crashed']);
  expect(tokens).toBeGreaterThan(2);
  expect(phase).toBe('failed');

  const model = await page.evaluate(async () => {
    await globalThis.tempo.load({ engine: 'simulated', model: 'desktop-gpu' });
    const again = await globalThis.tempo.app('chat').chat.completions.create({
      messages: [{ role: 'user', content: 'Go on' }],
      max_tokens: 5,
    });
    return again.model;
  });
  expect(model).toBe('desktop-gpu');
});

for (const [how, end] of [
  ['closes itself', () => void setTimeout(() => self.close())],
  [
    'does not come out of a loop',
    () =>
      void setTimeout(() => {
        for (;;);
      }),
  ],
] as const) {
  test(`a worker that ${how} is noticed, and the next load starts another`, async ({ page }) => {
    test.setTimeout(90_000);
    await page.evaluate(async () => {
      const tempo = globalThis.client.createTempo({ engine: 'simulated' });
      await tempo.ready;
      Object.assign(globalThis, { tempo });
    });
    await page.workers()[0].evaluate(end);
    const result = await page.evaluate(async () => {
      const { tempo } = globalThis;
      const { completions } = tempo.app('chat').chat;
      const params = { messages: [{ role: 'user' as const, content: 'Hi' }], max_tokens: 3 };
      const startMs = performance.now();
      const code = await completions.create(params).catch((thrown) => thrown.code);
      const tookMs = performance.now() - startMs;
      await tempo.load({ engine: 'simulated' });
      const answer = await completions.create(params);
      await tempo.dispose();
      return { code, tookMs, tokens: answer.usage.completion_tokens };
    });
    expect(result.code).toBe('worker_crashed');
    expect(result.tookMs).toBeLessThan(30_000);
    expect(result.tokens).toBe(3);
  });
}

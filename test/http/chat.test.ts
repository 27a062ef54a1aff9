import { describe, expect, it } from 'vitest';
import { EARLY_HEAD } from '../../src/client/http/reply';
import { dataOf, eventsOf, hold, live, openPage, post, tick } from './page';

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] };
const SCRIPT = { content: 'Good morning to you.' };

/** What differs from one answer to the next. */
const ANEW = { id: expect.any(String), created: expect.any(Number), usage: expect.any(Object) };

describe('chat over fetch', () => {
  it('answers as chat.completions.create does', async () => {
    const { tempo } = openPage();
    const body = { messages: [{ role: 'user' as const, content: 'Hello' }], seed: 4, n: 2 };
    const answer = await tempo.app('chat').chat.completions.create(body);
    const response = await post(tempo.fetch, 'chat/completions', { ...body, model: 'laptop-gpu' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9]+$/);
    const { usage } = answer;
    expect(await response.json()).toEqual({ ...answer, ...ANEW });
    expect(usage.extra.slo_met).toBe(true);
    await tempo.dispose();
  });

  it('streams the chunks that a stream gives, and [DONE]', async () => {
    const { tempo } = openPage();
    const response = await post(tempo.fetch, 'chat/completions', {
      ...HELLO,
      simulate: SCRIPT,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = [];
    for await (const event of eventsOf(response)) events.push(event);
    expect(events.pop()).toEqual({ event: undefined, data: '[DONE]' });
    const chunks = events.map(({ data }) => JSON.parse(data));
    expect(chunks.every(({ object }) => object === 'chat.completion.chunk')).toBe(true);
    const texts = chunks.map(({ choices }) => choices[0]?.delta.content ?? '');
    expect(texts.join('')).toBe(SCRIPT.content);
    expect(texts.filter((text) => text !== '').length).toBeGreaterThan(3);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 7 } });
    await tempo.dispose();
  });

  it('tells how many tokens were reasoning', async () => {
    const { tempo } = openPage();
    const simulate = { content: '<think>One two three.</think>Four.' };
    const response = await post(tempo.fetch, 'chat/completions', { ...HELLO, simulate });
    const { usage, choices } = await response.json();
    expect(choices[0].message.reasoning_content).toBe('One two three.');
    const { reasoning_tokens } = usage.completion_tokens_details;
    expect(reasoning_tokens).toBeGreaterThan(3);
    expect(reasoning_tokens).toBeLessThan(usage.completion_tokens - 2);
    const other = await post(tempo.fetch, 'chat/completions', { ...HELLO, simulate: SCRIPT });
    expect((await other.json()).usage.completion_tokens_details.reasoning_tokens).toBe(0);
    await tempo.dispose();
  });

  it('does not need to be read at once, and a reader that rests holds nobody up', async () => {
    const { tempo } = openPage();
    const body = { ...HELLO, simulate: SCRIPT, stream: true };
    const resting = await post(tempo.fetch, 'chat/completions', body);
    const reader = resting.body?.getReader();
    await reader?.read();
    const others = await Promise.all(
      Array.from({ length: 20 }, async () =>
        dataOf(await post(tempo.fetch, 'chat/completions', body)),
      ),
    );
    for (const chunks of others) expect(chunks.at(-1).choices[0].finish_reason).toBe('stop');
    let rest = '';
    for (let piece = await reader?.read(); !piece?.done; piece = await reader?.read()) {
      rest += new TextDecoder().decode(piece?.value);
    }
    expect(rest).toContain('"finish_reason":"stop"');
    expect(rest.endsWith('data: [DONE]\n\n')).toBe(true);
    await tempo.dispose();
  });
});

describe('an error', () => {
  it.each([
    [{ ...HELLO, temperature: 9 }, 400, 'invalid_request', 'temperature'],
    [{}, 400, 'invalid_request', 'messages'],
    [{ ...HELLO, model: 'gpt-4o' }, 404, 'unknown_model', 'model'],
    [{ ...HELLO, stream: true, n: 0 }, 400, 'invalid_request', 'n'],
    [
      { messages: [{ role: 'user', content: 'word '.repeat(9999) }] },
      400,
      'context_length_exceeded',
      'messages',
    ],
  ])('of the request has OpenAI’s shape and status: %#', async (body, status, code, param) => {
    const { tempo } = openPage();
    const response = await post(tempo.fetch, 'chat/completions', body);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String), type: 'invalid_request_error', param, code },
    });
    await tempo.dispose();
  });

  it.each([
    ['no JSON', '{"messages": [', 'application/json', 400, 'invalid_json'],
    ['nothing', '', 'application/json', 400, 'invalid_json'],
    ['a list', '[]', 'application/json; charset=utf-8', 400, 'invalid_request'],
    [
      'a form',
      'messages=Hello',
      'application/x-www-form-urlencoded',
      415,
      'unsupported_media_type',
    ],
    ['text that is no JSON', 'Hello', 'text/plain', 400, 'invalid_json'],
  ])('of a body that is %s', async (_, body, type, status, code) => {
    const { tempo } = openPage();
    const headers = { 'content-type': type };
    const init = { method: 'POST', body, headers };
    const response = await tempo.fetch('/v1/chat/completions', init);
    expect(response.status).toBe(status);
    expect((await response.json()).error).toMatchObject({ code, type: 'invalid_request_error' });
    await tempo.dispose();
  });

  it('of a full queue says when to try again', async () => {
    const page = openPage({ profile: { maxSequences: 1 } });
    const { tempo } = page;
    await tempo.ready;
    await tempo.load({ engine: 'simulated', maxWaiting: 1 });
    const release = await hold(page);
    const body = { ...HELLO, max_tokens: 4 };
    const first = post(tempo.fetch, 'chat/completions', body);
    await live(page, 1);
    const second = post(tempo.fetch, 'chat/completions', body);
    await live(page, 2);
    const response = await post(tempo.fetch, 'chat/completions', body);
    expect(response.status).toBe(429);
    const ms = Number(response.headers.get('retry-after-ms'));
    expect(ms).toBeGreaterThan(0);
    expect(Number(response.headers.get('retry-after'))).toBe(Math.ceil(ms / 1000));
    expect(response.headers.has('x-should-retry')).toBe(false);
    expect((await response.json()).error).toMatchObject({
      code: 'queue_full',
      type: 'rate_limit_error',
    });
    release();
    expect((await first).status).toBe(200);
    expect((await second).status).toBe(200);
    await tempo.dispose();
  });

  it('of a load that was cancelled is 503: no client knows 499', async () => {
    const controller = new AbortController();
    const { tempo } = openPage({ onLoad: () => tick(20) });
    await tempo.ready;
    const loading = tempo.load({ engine: 'simulated' }, { signal: controller.signal });
    loading.catch(() => {});
    const call = post(tempo.fetch, 'chat/completions', HELLO);
    await tick();
    controller.abort();
    const response = await call;
    expect(response.status).toBe(503);
    expect((await response.json()).error).toMatchObject({ code: 'aborted', type: 'server_error' });
    await tempo.dispose();
  });

  it('in the middle of an answer: its status', async () => {
    const { tempo } = openPage();
    await tempo.ready;
    const call = post(tempo.fetch, 'chat/completions', { ...HELLO, ignore_eos: true });
    await tick(20);
    await tempo.unload();
    const response = await call;
    expect(response.status).toBe(503);
    expect((await response.json()).error.code).toBe('disposed');
    await tempo.dispose();
  });

  it('in the middle of a stream is its last event', async () => {
    const { tempo } = openPage();
    const body = { ...HELLO, ignore_eos: true, stream: true };
    const response = await post(tempo.fetch, 'chat/completions', body);
    const events = [];
    for await (const { data } of eventsOf(response)) {
      if (events.push(data) === 3) void tempo.unload();
    }
    expect(events.length).toBeGreaterThan(3);
    expect(JSON.parse(events.at(-1) ?? '')).toEqual({
      error: { message: expect.any(String), type: 'server_error', param: null, code: 'disposed' },
    });
    await tempo.dispose();
  });
});

describe('an abort', () => {
  const ENDLESS = { ...HELLO, ignore_eos: true };

  async function failure(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => 'nothing',
      (thrown: unknown) => thrown,
    );
  }

  it('before the call rejects it, and nothing is asked', async () => {
    const { tempo, harness } = openPage();
    await tempo.ready;
    const signal = AbortSignal.abort();
    const call = post(tempo.fetch, 'chat/completions', ENDLESS, { signal });
    expect(await failure(call)).toMatchObject({ name: 'AbortError' });
    expect((await harness.snapshot()).metrics.total.submitted).toBe(0);
    await tempo.dispose();
  });

  it.each([
    ['that waits for the engine', 0],
    ['that is being answered', 40],
  ])('of a call %s rejects it with the signal’s reason', async (_, ms) => {
    const { tempo, harness } = openPage({ onLoad: () => tick(20) });
    const controller = new AbortController();
    const reason = new Error('the user left');
    const call = failure(
      post(tempo.fetch, 'chat/completions', ENDLESS, { signal: controller.signal }),
    );
    await tick(ms);
    controller.abort(reason);
    expect(await call).toBe(reason);
    await tempo.ready;
    await tick(20);
    expect(harness.device.usedPages).toBe(0);
    await tempo.dispose();
  });

  it('of a stream fails its reader, and frees the pages', async () => {
    const { tempo, harness } = openPage();
    const controller = new AbortController();
    const { signal } = controller;
    const body = { ...ENDLESS, stream: true };
    const response = await post(tempo.fetch, 'chat/completions', body, { signal });
    const read = async () => {
      let events = 0;
      for await (const _ of eventsOf(response)) if (++events === 3) controller.abort();
    };
    expect(await failure(read())).toMatchObject({ name: 'AbortError' });
    await tick(20);
    expect(harness.device.usedPages).toBe(0);
    await tempo.dispose();
  });

  it('by a Request’s own signal, or by a timeout', async () => {
    const { tempo } = openPage();
    const controller = new AbortController();
    const init = { method: 'POST', body: JSON.stringify(ENDLESS) };
    const request = new Request('https://x.example/v1/chat/completions', {
      ...init,
      signal: controller.signal,
    });
    const call = failure(tempo.fetch(request));
    await tick(10);
    controller.abort();
    expect(await call).toMatchObject({ name: 'AbortError' });
    const signal = AbortSignal.timeout(30);
    const late = failure(tempo.fetch('/v1/chat/completions', { ...init, signal }));
    expect(await late).toMatchObject({ name: 'TimeoutError' });
    await tempo.dispose();
  });

  it('by cancelling the body ends the request, even one that still waits', async () => {
    const { tempo, harness } = openPage({ profile: { maxSequences: 1 } });
    const body = { ...ENDLESS, stream: true };
    const first = await post(tempo.fetch, 'chat/completions', body);
    const second = await post(tempo.fetch, 'chat/completions', body);
    const reader = second.body?.getReader();
    const pending = reader?.read();
    await tick(10);
    await reader?.cancel();
    expect(await pending).toMatchObject({ done: true });
    await first.body?.cancel();
    await tick(20);
    expect(harness.device.usedPages).toBe(0);
    const { metrics, live } = await harness.snapshot();
    expect(metrics.total.aborted).toBe(2);
    expect(live).toEqual({ resident: 0, waiting: 0 });
    await tempo.dispose();
  });

  it('after the end does nothing', async () => {
    const { tempo } = openPage();
    const controller = new AbortController();
    const { signal } = controller;
    const body = { ...HELLO, stream: true, max_tokens: 2 };
    const response = await post(tempo.fetch, 'chat/completions', body, { signal });
    const chunks = await dataOf(response);
    controller.abort();
    expect(chunks.at(-1).choices[0].finish_reason).toBe('length');
    await tempo.dispose();
  });
});

describe('an answer whose head is wanted early', () => {
  const headers = { [EARLY_HEAD]: 'true' };

  it('comes with its status once it is queued, and with its body once that is there', async () => {
    const page = openPage();
    const release = await hold(page);
    const body = { ...HELLO, simulate: SCRIPT };
    const response = await post(page.tempo.fetch, 'chat/completions', body, { headers });
    expect(response.status).toBe(200);
    release();
    expect((await response.json()).choices[0].message.content).toBe(SCRIPT.content);
    const refused = await post(page.tempo.fetch, 'chat/completions', {}, { headers });
    expect(refused.status).toBe(400);
    await page.tempo.dispose();
  });

  it('is aborted by cancelling its body, and fails where it breaks off', async () => {
    const page = openPage();
    const release = await hold(page);
    const ask = () => post(page.tempo.fetch, 'chat/completions', HELLO, { headers });
    const left = await ask();
    await live(page, 1);
    await left.body?.cancel();
    await live(page, 0);
    const broken = await ask();
    const reading = broken.json();
    reading.catch(() => {});
    release();
    void page.tempo.unload();
    await expect(reading).rejects.toMatchObject({ code: 'disposed' });
    await page.tempo.dispose();
  });
});

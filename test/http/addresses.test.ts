import { describe, expect, it } from 'vitest';
import { createTempo } from '../../src/client';
import { TempoError } from '../../src/scheduler';
import { openPage, post, tick } from './page';

describe('an address', () => {
  it('that is null is a path, as to the web’s fetch', async () => {
    const { tempo } = openPage();
    const response = await tempo.fetch(null as never);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'unknown_url' } });
    await tempo.dispose();
  });

  it.each([
    'https://api.openai.com/v1/models',
    'http://localhost:8080/v1/models/',
    'https://proxy.example/openai/v1/models?api-version=2026-01-01',
    'https://tempo.invalid/models',
    'https://tempo.invalid/some/where/models#top',
    '/v1/models',
    'models',
    './api/v1/models',
  ])('%s is the list of models', async (address) => {
    const { tempo } = openPage();
    for (const input of [address, new URL(address, 'https://page.example/')]) {
      const response = await tempo.fetch(input);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        object: 'list',
        data: [{ id: 'laptop-gpu', object: 'model', owned_by: 'tempo', simulated: true }],
      });
    }
    await tempo.dispose();
  });

  it.each([
    'https://api.openai.com/v1/chat/completions',
    'https://x.openai.azure.com/openai/deployments/models/chat/completions?api-version=1',
    'https://gateway.example/v1/account/v1/chat/completions',
    'chat/completions',
  ])('%s is chat', async (address) => {
    const { tempo } = openPage();
    const init = {
      method: 'POST',
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 1 }),
    };
    for (const input of [address, new Request(new URL(address, 'https://page.example/'), init)]) {
      const response = await tempo.fetch(input, typeof input === 'string' ? init : undefined);
      expect(await response.json()).toMatchObject({ object: 'chat.completion' });
    }
    await tempo.dispose();
  });

  it.each([
    'https://api.openai.com/',
    'https://api.openai.com/v1',
    'https://api.openai.com/v1/files',
    'https://api.openai.com/v1/responses/resp_1',
    'https://api.openai.com/v1/chat/completions/chatcmpl-1',
    'https://api.openai.com/v1/remodels',
  ])('%s is none of ours: 404', async (address) => {
    const { tempo } = openPage();
    const response = await tempo.fetch(address);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      error: {
        message: expect.stringMatching(/^There is no \/.* here, only chat\/completions, .*\.$/),
        type: 'invalid_request_error',
        param: null,
        code: 'unknown_url',
      },
    });
    await tempo.dispose();
  });

  it.each([
    ['GET', 'chat/completions', 'POST'],
    ['DELETE', 'models/laptop-gpu', 'GET'],
    ['POST', 'models', 'GET'],
    ['PUT', 'responses', 'POST'],
  ])('does not take %s %s: 405', async (method, path, allow) => {
    const { tempo } = openPage();
    const response = await tempo.fetch(`/v1/${path}`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect((await response.json()).error.code).toBe('method_not_allowed');
    await tempo.dispose();
  });

  it('that is none throws what the web’s fetch throws', async () => {
    const { tempo } = openPage();
    await expect(tempo.fetch('http://[')).rejects.toThrow(TypeError);
    await expect(tempo.fetch('/v1/models', { method: 'GET', body: '{}' })).rejects.toThrow(
      TypeError,
    );
    await tempo.dispose();
  });
});

describe('the loaded model', () => {
  it('is retrieved by its id, whatever is in it', async () => {
    const { tempo } = openPage();
    const response = await tempo.fetch('/v1/models/laptop%2Dgpu');
    expect(await response.json()).toMatchObject({ id: 'laptop-gpu', object: 'model' });
    const other = await tempo.fetch('/v1/models/org%2Fother');
    expect(other.status).toBe(404);
    expect((await other.json()).error).toMatchObject({
      code: 'unknown_model',
      param: 'model',
      message: 'Loaded is "laptop-gpu", not "org/other".',
    });
    expect((await tempo.fetch('/v1/models/100%')).status).toBe(404);
    await tempo.dispose();
  });

  it('is waited for while it loads, and cannot be told where that fails', async () => {
    const { tempo } = openPage({
      onLoad: async (load) => {
        await tick(20);
        if (load === 2) throw new TempoError('network', 'The download broke off. Try again.');
      },
    });
    expect((await (await tempo.fetch('/v1/models')).json()).data).toHaveLength(1);
    await tempo.unload();
    expect((await (await tempo.fetch('/v1/models')).json()).data).toEqual([]);
    tempo.load({ engine: 'simulated' }).catch(() => {});
    const failed = await tempo.fetch('/v1/models');
    expect(failed.status).toBe(502);
    expect((await failed.json()).error).toMatchObject({ code: 'network', type: 'server_error' });
    await tempo.dispose();
  });

  it('is told by an engine that is being recovered, once it is back', async () => {
    const { tempo, harness } = openPage({ onLoad: (load) => (load > 1 ? tick(30) : undefined) });
    await tempo.ready;
    harness.device.lose();
    await new Promise<void>((resolve) => {
      tempo.onState(({ phase }) => {
        if (phase === 'recovering') resolve();
      });
    });
    expect((await (await tempo.fetch('/v1/models')).json()).data).toHaveLength(1);
    await tempo.dispose();
  });
});

it('there is no server behind it: without workers and host it says so', async () => {
  const tempo = createTempo({ engine: 'simulated' });
  const response = await post(tempo.fetch, 'responses', { input: 'Hello' });
  expect(response.status).toBe(501);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect((await response.json()).error.code).toBe('unsupported');
  await tempo.dispose();
});

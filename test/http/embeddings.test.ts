import { describe, expect, it } from 'vitest';
import { createTempo } from '../../src/client';
import { TempoServer } from '../../src/server';
import { post } from './page';

/** A page with an embedding model beside the chat model. */
const open = (embeddingModels: string[] = ['little']) =>
  createTempo({ engine: 'simulated', host: new TempoServer(), embeddingModels });

describe('embeddings over fetch', () => {
  it('answer as app.embeddings.create does', async () => {
    const tempo = open();
    const body = { input: ['one', 'two'] };
    const { usage, ...answer } = await tempo.app('search').embeddings.create(body);
    const response = await post(tempo.app('search').fetch, 'embeddings', body);
    expect(response.status).toBe(200);
    const { usage: told, ...same } = await response.json();
    expect(same).toEqual(answer);
    expect(told).toMatchObject({ prompt_tokens: usage.prompt_tokens });
    await tempo.dispose();
  });

  it('take base64, which OpenAI’s client asks for, and what Tempo adds', async () => {
    const tempo = open();
    const headers = {
      'x-tempo-slo': JSON.stringify({ class: 'deadline', ttlt: 9000 }),
      'x-tempo-stage': 'index',
    };
    const body = { input: 'one', encoding_format: 'base64', user: 'me' };
    const response = await post(tempo.fetch, 'embeddings', body, { headers });
    expect((await response.json()).data[0].embedding).toMatch(/^[A-Za-z0-9+/]+=*$/);
    await tempo.dispose();
  });

  it('name what is wrong', async () => {
    const tempo = open();
    for (const [body, status, param] of [
      [{}, 400, 'input'],
      [{ input: '' }, 400, 'input'],
      [{ input: 'one', model: 'text-embedding-3-small' }, 404, 'model'],
      [{ input: 'one', tempo: { slo: { class: 'soon' } } }, 400, 'tempo.slo.class'],
    ] as const) {
      const response = await post(tempo.fetch, 'embeddings', body);
      expect(response.status).toBe(status);
      expect((await response.json()).error).toMatchObject({ param });
    }
    await tempo.dispose();
  });

  it('say so where no model computes any', async () => {
    const tempo = open([]);
    const response = await post(tempo.fetch, 'embeddings', { input: 'one' });
    expect(response.ok).toBe(false);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect((await response.json()).error.message).toMatch(/No embedding model is loaded/);
    await tempo.dispose();
  });

  it('have their models in the list', async () => {
    const tempo = open(['little', 'large']);
    const { data } = await (await tempo.fetch('/v1/models')).json();
    expect(data.map(({ id }: { id: string }) => id)).toEqual(['laptop-gpu', 'little', 'large']);
    expect((await tempo.fetch('/v1/models/large')).status).toBe(200);
    await tempo.dispose();
  });
});

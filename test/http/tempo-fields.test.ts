import { describe, expect, it } from 'vitest';
import { hold, live, openPage, type Page, post } from './page';

const ENDLESS = { messages: [{ role: 'user', content: 'Go on.' }], ignore_eos: true };
const LATENCY = { class: 'latency', ttft: 800, tbt: 80 } as const;
const DEADLINE = { class: 'deadline', ttlt: 9000 } as const;

/** How the server sees a request. */
async function seen(
  page: Page,
  fetch: Page['tempo']['fetch'],
  body: object,
  headers: Record<string, string> = {},
) {
  const release = await hold(page);
  const controller = new AbortController();
  const { signal } = controller;
  const call = post(fetch, 'chat/completions', { ...ENDLESS, ...body }, { headers, signal });
  call.catch(() => {});
  await live(page, 1);
  const [request] = (await page.harness.snapshot()).requests;
  controller.abort();
  release();
  await live(page, 0);
  return request;
}

describe('what Tempo adds to a request', () => {
  it('stands in the body’s tempo field', async () => {
    const page = openPage();
    const fields = { app: 'reader', stage: 'plan', slo: LATENCY };
    expect(await seen(page, page.tempo.fetch, { tempo: fields })).toMatchObject({
      app: 'reader',
      stage: 'plan',
      class: 'latency',
    });
    await page.tempo.dispose();
  });

  it('or in headers', async () => {
    const page = openPage();
    const headers = {
      'x-tempo-app': 'reader',
      'x-tempo-stage': 'plan',
      'x-tempo-slo': JSON.stringify(DEADLINE),
    };
    expect(await seen(page, page.tempo.fetch, {}, headers)).toMatchObject({
      app: 'reader',
      stage: 'plan',
      class: 'deadline',
    });
    await page.tempo.dispose();
  });

  it('and what a body says is said for it alone: it comes before headers', async () => {
    const page = openPage();
    const headers = { 'x-tempo-app': 'reader', 'x-tempo-slo': JSON.stringify(DEADLINE) };
    const tempo = { app: 'writer', slo: LATENCY };
    expect(await seen(page, page.tempo.fetch, { tempo }, headers)).toMatchObject({
      app: 'writer',
      class: 'latency',
    });
    expect(await seen(page, page.tempo.fetch, { slo: LATENCY }, headers)).toMatchObject({
      app: 'reader',
      class: 'latency',
    });
    await page.tempo.dispose();
  });

  it('falls back on the app’s own name and objective', async () => {
    const page = openPage();
    page.tempo.app('reader', { slo: LATENCY });
    const headers = { 'x-tempo-app': 'reader' };
    expect(await seen(page, page.tempo.app('reader').fetch, { tempo: null })).toMatchObject({
      app: 'reader',
      class: 'latency',
    });
    expect(await seen(page, page.tempo.fetch, {}, headers)).toMatchObject({
      app: 'reader',
      class: 'latency',
    });
    expect(await seen(page, page.tempo.fetch, {})).toMatchObject({
      app: 'default',
      class: 'best-effort',
    });
    await page.tempo.dispose();
  });

  it.each([
    ['program.fetch', 'own', {}],
    ['the tempo field', 'tempo', {}],
    ['a header', 'header', {}],
    ['the tempo field, under another app', 'tempo', { app: 'writer' }],
  ])('accounts calls to a program by %s', async (_, by, more: { app?: string }) => {
    const { tempo } = openPage();
    const program = tempo.program({ app: 'agent', deadline: 60_000 });
    const fetch = by === 'own' ? program.fetch : tempo.fetch;
    const body = { ...ENDLESS, max_tokens: 3 };
    const own = by === 'tempo' ? { tempo: { ...more, program: program.id } } : {};
    const headers = by === 'header' ? { 'x-tempo-program': program.id } : undefined;
    const response = await post(fetch, 'chat/completions', { ...body, ...own }, { headers });
    expect(response.status).toBe(200);
    expect(await program.end()).toMatchObject({ calls: 1, met: true });
    const late = await post(fetch, 'chat/completions', { ...body, ...own }, { headers });
    expect(late.status).toBe(409);
    expect(late.headers.get('x-should-retry')).toBe('false');
    await tempo.dispose();
  });

  it.each<[string, object, Record<string, string>, string]>([
    ['a tempo field that is none', { tempo: 'fast' }, {}, 'tempo'],
    ['an unknown one in it', { tempo: { priority: 1 } }, {}, 'tempo.priority'],
    ['an app without a name', { tempo: { app: '' } }, {}, 'tempo.app'],
    ['an app’s name that is too long', {}, { 'x-tempo-app': 'x'.repeat(65) }, 'x-tempo-app'],
    ['a program that is none', { tempo: { program: 7 } }, {}, 'tempo.program'],
    ['a program that is not there', {}, { 'x-tempo-program': 'p9' }, 'x-tempo-program'],
    ['a stage that is none', { tempo: { stage: ['plan'] } }, {}, 'tempo.stage'],
    ['an SLO that is none', { tempo: { slo: 'fast' } }, {}, 'tempo.slo'],
    ['an SLO without a class', { tempo: { slo: {} } }, {}, 'tempo.slo.class'],
    ['a negative TTFT', { tempo: { slo: { ...LATENCY, ttft: -1 } } }, {}, 'tempo.slo.ttft'],
    ['an SLO that is no JSON', {}, { 'x-tempo-slo': 'fast' }, 'x-tempo-slo'],
    ['a bad SLO in a header', {}, { 'x-tempo-slo': '{"class":"latency"}' }, 'x-tempo-slo.ttft'],
    ['a bad SLO beside the messages', { slo: { class: 'deadline' } }, {}, 'slo.ttlt'],
  ])('%s is named', async (_, body, headers, param) => {
    const { tempo, harness } = openPage();
    const response = await post(
      tempo.fetch,
      'chat/completions',
      { ...ENDLESS, ...body },
      { headers },
    );
    expect([400, 409]).toContain(response.status);
    expect((await response.json()).error).toMatchObject({ param, message: expect.any(String) });
    await tempo.ready;
    expect((await harness.snapshot()).metrics.total.submitted).toBe(0);
    await tempo.dispose();
  });
});

import { expect, type Page, test } from '@playwright/test';
import type { AppConfig, LoadProgress, ModelRecord } from '../src/client';
import { type BuiltPage, builtPage } from './built-page';
import { LIBRARY, ModelHost, SHARD_BYTES } from './model-host';
import type {} from './worker-page/main';

/**
 * Downloads, and what is kept of them, in a browser with its caches and a server on this machine. The
 * libraries are made up, so every load ends with `engine_failed` once all that it needs has come.
 */
let served: BuiltPage;
let host: ModelHost;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  served = await builtPage('worker-page', 24_290);
});

test.afterAll(() => served.close());

test.beforeEach(async ({ page }) => {
  host = await new ModelHost().start();
  await page.goto(served.url);
  await page.waitForFunction(() => globalThis.client !== undefined);
  await page.evaluate(async () => {
    globalThis.tempo = globalThis.client.createTempo({ engine: 'simulated' });
    await globalThis.tempo.ready;
  });
});

test.afterEach(() => host.close());

const listOf = (...records: ModelRecord[]): AppConfig => ({ model_list: records });

interface Loaded {
  code: string;
  message: string;
  ms: number;
  progress: LoadProgress[];
}

/** What a load comes to; `abortAfterMs` after the first bytes have come it is cancelled. */
function load(
  page: Page,
  model: string,
  appConfig: AppConfig,
  abortAfterMs?: number,
): Promise<Loaded> {
  return page.evaluate(
    async ([model, appConfig, abortAfterMs]) => {
      const { tempo, client } = globalThis;
      const controller = new AbortController();
      const progress: LoadProgress[] = [];
      let abortedMs: number | undefined;
      const stop = tempo.onState((state) => {
        if (state.phase !== 'loading') return;
        progress.push(state.progress);
        if (abortAfterMs === undefined || !state.progress.loadedBytes) return;
        setTimeout(() => {
          abortedMs ??= performance.now();
          controller.abort();
        }, abortAfterMs);
      });
      const { signal } = controller;
      const thrown = await tempo.load({ engine: 'webllm', model, appConfig }, { signal }).then(
        () => undefined,
        (error: unknown) => error,
      );
      const ms = performance.now() - (abortedMs ?? 0);
      stop();
      if (!(thrown instanceof client.TempoError))
        return { code: 'none', message: '', ms, progress };
      return { code: thrown.code, message: thrown.message, ms, progress };
    },
    [model, appConfig, abortAfterMs] as const,
  );
}

const storage = (page: Page, id: string) =>
  page.evaluate((id) => globalThis.tempo.models.storage(id), id);

/** Where the model host has a file of weights. */
const shard = (model: string, i: number) => `/${model}/params_shard_${i}.bin`;

test('a download that breaks off goes on where it stopped @webgpu', async ({ page }) => {
  const appConfig = listOf(host.record('mine'));
  host.breaks = shard('mine', 2);
  const broken = await load(page, 'mine', appConfig);
  expect(broken).toMatchObject({ code: 'network' });
  expect(broken.message).toContain('params_shard_2.bin broke off');
  // Tried again a few times, the others once.
  expect(host.shardsAsked().sort()).toEqual(
    [0, 1, 2, 2, 2, 3].map((i) => `GET ${shard('mine', i)}`),
  );
  const kept = await storage(page, 'mine');
  expect(kept).toMatchObject({ cached: 'partial', shards: { cached: 3, total: 4 } });
  expect(kept.bytes).toBeGreaterThan(3 * SHARD_BYTES);

  host.breaks = undefined;
  const whole = await load(page, 'mine', appConfig);
  expect(whole.code).toBe('engine_failed');
  expect(host.shardsAsked()).toEqual([`GET ${shard('mine', 2)}`]);
  const first = whole.progress.find(({ loadedBytes }) => loadedBytes !== undefined);
  expect(first).toMatchObject({ loadedBytes: 3 * SHARD_BYTES, totalBytes: 4 * SHARD_BYTES });
  expect(await storage(page, 'mine')).toMatchObject({
    cached: 'complete',
    shards: { cached: 4, total: 4 },
  });

  // Nothing is asked for a third time.
  expect((await load(page, 'mine', appConfig)).code).toBe('engine_failed');
  expect(host.requests).toEqual([]);
});

test('a download tells bytes, and the time left once it knows @webgpu', async ({ page }) => {
  host.bytesPerSecond = SHARD_BYTES / 2;
  const { code, progress } = await load(page, 'mine', listOf(host.record('mine')));
  expect(code).toBe('engine_failed');
  const download = progress.filter(({ totalBytes }) => totalBytes !== undefined);
  expect(download.length).toBeGreaterThan(8);
  const loaded = download.map(({ loadedBytes = 0 }) => loadedBytes);
  expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  expect(loaded.some((bytes) => bytes % SHARD_BYTES !== 0)).toBe(true);
  expect(download[0]).toMatchObject({ loadedBytes: 0, totalBytes: 4 * SHARD_BYTES });
  expect(download[0].remainingMs).toBeUndefined();
  const told = download.filter(({ remainingMs }) => remainingMs !== undefined);
  expect(told.length).toBeGreaterThan(0);
  for (const { remainingMs = 0 } of told) expect(remainingMs).toBeLessThan(3000);
});

test('a load can be cancelled in the middle of a file, and keeps what is whole @webgpu', async ({
  page,
}) => {
  const appConfig = listOf(host.record('mine-9'));
  host.bytesPerSecond = SHARD_BYTES / 2;
  const { code, ms } = await load(page, 'mine-9', appConfig, 2600);
  expect(code).toBe('aborted');
  expect(ms).toBeLessThan(1000);
  expect(await page.evaluate(() => globalThis.tempo.state.phase)).toBe('idle');
  await expect.poll(() => host.cut.length).toBe(4);
  const { shards, cached } = await storage(page, 'mine-9');
  expect(cached).toBe('partial');
  expect(shards).toEqual({ cached: 4, total: 9 });

  host.bytesPerSecond = Number.POSITIVE_INFINITY;
  host.requests.length = 0;
  expect((await load(page, 'mine-9', appConfig)).code).toBe('engine_failed');
  expect(host.shardsAsked()).toHaveLength(5);
});

test('a download that cannot fit is not begun, and says how much is missing @webgpu', async ({
  page,
}) => {
  const session = await page.context().newCDPSession(page);
  const origin = new URL(served.url).origin;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 3_000_000 });
  host.saidBytes = 2_000_000;
  const appConfig = listOf(host.record('mine'));
  const { code, message } = await load(page, 'mine', appConfig);
  expect(code).toBe('out_of_memory');
  expect(message).toMatch(/needs 8 MB more .* room for [23] MB: [56] MB are missing/);
  expect(host.shardsAsked()).toEqual([]);
  const estimate = await page.evaluate(() => globalThis.tempo.models.estimate('mine'));
  expect(estimate).toMatchObject({
    downloadBytes: 8_000_000,
    quotaBytes: expect.any(Number),
    fits: false,
    persisted: false,
  });
});

test('a browser that runs full in the middle says so, and keeps what is whole @webgpu', async ({
  page,
}) => {
  const appConfig = listOf(host.record('mine-9'));
  host.bytesPerSecond = SHARD_BYTES;
  const loading = load(page, 'mine-9', appConfig);
  await expect.poll(() => host.shardsAsked().length).toBe(4);
  const session = await page.context().newCDPSession(page);
  const origin = new URL(served.url).origin;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_800_000 });
  const { code, message } = await loading;
  expect(code).toBe('out_of_memory');
  expect(message).toMatch(/storage is full/);
  const { shards } = await storage(page, 'mine-9');
  expect(shards.cached).toBeGreaterThan(2);
  expect(shards.cached).toBeLessThan(9);
});

test('a file that is not there, or not what the list says, is named @webgpu', async ({ page }) => {
  const appConfig = listOf(host.record('mine'));
  for (const missing of ['/lib/mine.wasm', '/mine/tensor-cache.json', shard('mine', 1)]) {
    host.missing = missing;
    const { code, message } = await load(page, 'mine', appConfig);
    expect(code).toBe('network');
    expect(message).toContain('404');
    expect(message).toContain(missing.split('/').at(-1));
  }
  host.missing = undefined;
  await page.evaluate(() => globalThis.tempo.models.delete('mine'));
  host.saidBytes = SHARD_BYTES + 1;
  const { code, message } = await load(page, 'mine', appConfig);
  expect(code).toBe('network');
  expect(message).toMatch(/300000 bytes came, the list of weights says 300001/);
});

test('what is kept can be listed, weighed and deleted, by those who share it @webgpu', async ({
  page,
}) => {
  const appConfig = listOf(
    host.record('mine'),
    host.record('mine-short', { weights: 'mine', library: 'mine' }),
    host.record('other', { library: 'mine' }),
    host.record('third'),
  );
  for (const model of ['mine', 'other']) await load(page, model, appConfig);
  const told = await page.evaluate(async () => {
    const { models } = globalThis.tempo;
    return { list: await models.list(), cached: await models.cached() };
  });
  expect(told.list.map(({ id, cached }) => [id, cached])).toEqual([
    ['mine', 'complete'],
    ['mine-short', 'complete'],
    ['other', 'complete'],
    ['third', 'none'],
  ]);
  expect(told.list[0]).toMatchObject({
    kind: 'chat',
    contextWindow: 1024,
    downloadBytes: 4 * SHARD_BYTES,
  });
  expect(told.list[3].downloadBytes).toBeUndefined();
  expect(told.cached.map(({ id, sharedWith }) => [id, sharedWith])).toEqual([
    ['mine', ['mine-short']],
    ['mine-short', ['mine']],
    ['other', []],
  ]);
  expect(told.cached[0].bytes).toBeGreaterThan(4 * SHARD_BYTES + LIBRARY.length);

  host.requests.length = 0;
  const freed = await page.evaluate(() => globalThis.tempo.models.delete('mine-short'));
  // The library stays, which another has.
  expect(freed).toBe(told.cached[0].bytes - LIBRARY.length);
  const cached = await page.evaluate(() => globalThis.tempo.models.cached());
  expect(cached.map(({ id }) => id)).toEqual(['other']);
  expect(await storage(page, 'mine')).toMatchObject({ cached: 'none', bytes: 0 });
  const rest = await page.evaluate(() => globalThis.tempo.models.delete('other'));
  expect(rest).toBe(cached[0].bytes);
  expect(await page.evaluate(() => globalThis.tempo.models.delete('other'))).toBe(0);
  expect(host.requests).toEqual([]);
  const addresses = await page.evaluate(async () => {
    const scopes = await caches.keys();
    return Promise.all(
      scopes.map(async (scope) => (await (await caches.open(scope)).keys()).length),
    );
  });
  expect(addresses.reduce((sum, n) => sum + n, 0)).toBe(0);
});

test('how large a model is can be asked before anything of it is there', async ({ page }) => {
  const appConfig = listOf(host.record('mine'));
  const told = await page.evaluate(async (appConfig) => {
    const { createTempo } = globalThis.client;
    const tempo = createTempo({ engine: 'simulated', appConfig });
    const { models } = tempo;
    const answer = {
      size: await models.size('mine'),
      estimate: await models.estimate('mine'),
      storage: await models.storage('mine'),
      persisted: typeof (await models.persist()),
      unknown: await models.size('nothing').catch((error: { code: string }) => error.code),
      none: await models.size('').catch((error: { param: string }) => error.param),
    };
    await tempo.dispose();
    return answer;
  }, appConfig);
  expect(told.size.weightBytes).toBe(4 * SHARD_BYTES);
  expect(told.size.libraryBytes).toBe(LIBRARY.length);
  expect(told.size.bytes).toBeGreaterThan(4 * SHARD_BYTES + LIBRARY.length);
  expect(told.estimate).toMatchObject({ downloadBytes: 4 * SHARD_BYTES, fits: true });
  expect(told.storage).toMatchObject({ cached: 'none', bytes: 0, sharedWith: [] });
  expect([told.persisted, told.unknown, told.none]).toEqual(['boolean', 'unknown_model', 'id']);
  expect(host.shardsAsked()).toEqual([]);
  host.missing = '/mine/tensor-cache.json';
  const gone = await page.evaluate(async (appConfig) => {
    const tempo = globalThis.client.createTempo({ engine: 'simulated', appConfig });
    const error = await tempo.models.size('mine').catch((thrown: unknown) => thrown);
    await tempo.dispose();
    return error instanceof globalThis.client.TempoError ? error.toJSON() : undefined;
  }, appConfig);
  expect(gone).toMatchObject({ code: 'network', message: expect.stringContaining('404') });
});

test('without a list of its own, a page has WebLLM’s', async ({ page }) => {
  const list = await page.evaluate(() => globalThis.tempo.models.list());
  expect(list.length).toBeGreaterThan(100);
  expect(new Set(list.map(({ kind }) => kind))).toEqual(new Set(['chat', 'vision', 'embedding']));
  expect(await page.evaluate(() => globalThis.tempo.models.cached())).toEqual([]);
});

for (const cacheBackend of ['indexeddb', 'opfs'] as const) {
  test(`what WebLLM keeps by itself in ${cacheBackend} is found and deleted, too @webgpu`, async ({
    page,
  }) => {
    const appConfig = { ...listOf(host.record('mine')), cacheBackend };
    expect((await load(page, 'mine', appConfig)).code).toBe('engine_failed');
    const kept = await storage(page, 'mine');
    const config = JSON.stringify({ tokenizer_files: ['tokenizer.json'] });
    expect(kept).toMatchObject({
      cached: 'partial',
      bytes: config.length + LIBRARY.length,
      shards: { cached: 0 },
    });
    expect(await page.evaluate(() => globalThis.tempo.models.delete('mine'))).toBe(kept.bytes);
    expect(await storage(page, 'mine')).toMatchObject({ cached: 'none', bytes: 0 });
    // WebLLM can go on with what is left of its store.
    host.requests.length = 0;
    expect((await load(page, 'mine', appConfig)).code).toBe('engine_failed');
    expect(host.requests).toContain('GET /mine/mlc-chat-config.json');
  });
}

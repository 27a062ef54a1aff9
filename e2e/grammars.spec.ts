/** Grammars in a worker beside the engine's, and in place where there is none. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { type Site, serveFolder } from '../scripts/static-server';
import { type BuiltPage, builtPage } from './built-page';
import type { Asked } from './grammar-page/main';

const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

let built: BuiltPage;
let inPlace: Asked;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(120_000);
  built = await builtPage('grammar-page', 24_490);
});

test.afterAll(() => built.close());

/** What the page answers where it is served so, and the workers that it had. */
async function ask(
  page: Page,
  name: string,
  site: Partial<Site> = {},
  meanwhile = async () => {},
): Promise<{ asked: Asked; workers: string[] }> {
  const served = await serveFolder({ folder: built.outDir, ...site });
  const workers: string[] = [];
  page.on('worker', (worker) => workers.push(new URL(worker.url()).pathname));
  await page.goto(served.url);
  await page.waitForFunction(() => globalThis.ask !== undefined);
  const [asked] = await Promise.all([
    page.evaluate((name) => globalThis.ask(name), name),
    meanwhile(),
  ]);
  await served.close();
  return { asked, workers };
}

const isGrammarWorker = (path: string) => path.includes('grammar-worker');

test('without a grammar worker, answers hold to their schemas', async ({ page }) => {
  const { asked, workers } = await ask(page, 'in-place');
  inPlace = asked;
  expect(workers.filter(isGrammarWorker)).toEqual([]);
  for (const i of [0, 2, 4, 6]) {
    expect(asked.texts[i]).toMatch(/^\{"name": ?"/);
  }
  expect(asked.refused).toMatch(/^invalid_schema .*pattern/);
});

test('with one they are the same', async ({ page }) => {
  const { asked, workers } = await ask(page, 'tempo');
  expect(asked).toEqual(inPlace);
  expect(workers.filter(isGrammarWorker)).toHaveLength(1);
});

test('and where it shares memory', async ({ page }) => {
  const { asked, workers } = await ask(page, 'tempo', { headers: ISOLATED });
  expect(asked).toEqual({ ...inPlace, isIsolated: true });
  expect(workers.filter(isGrammarWorker)).toHaveLength(1);
});

test('and where it is killed in the middle', async ({ page }) => {
  const { asked } = await ask(page, 'tempo', {}, async () => {
    await page.waitForEvent('worker', (worker) => isGrammarWorker(worker.url()));
    expect(await page.evaluate(() => globalThis.kill())).toBe(1);
  });
  expect(asked).toEqual(inPlace);
});

test('and where a policy forbids it', async ({ page }) => {
  const { asked, workers } = await ask(page, 'tempo', {
    headers: (path) =>
      path.includes('engine-worker') ? { 'content-security-policy': "worker-src 'none'" } : {},
  });
  expect(asked).toEqual(inPlace);
  expect(workers.filter(isGrammarWorker)).toEqual([]);
});

test('and where its file is missing', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'tempo-no-grammars-'));
  cpSync(built.outDir, folder, { recursive: true });
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter(isGrammarWorker)) rmSync(join(folder, file));
  const { asked } = await ask(page, 'tempo', { folder });
  rmSync(folder, { recursive: true });
  expect(asked).toEqual(inPlace);
});

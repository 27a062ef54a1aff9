import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { type ServedPage, servePage } from '../scripts/page';
import { libraryFolder } from './library-folder';

/** A page written for Chrome's built-in model, as it is, with the built library in the model's place. */
let outDir: string;
let served: ServedPage;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(120_000); // the library's types take their time
  outDir = await libraryFolder();
  cpSync(join(import.meta.dirname, 'prompt-api-page'), outDir, { recursive: true });
  served = await servePage(outDir, 4490);
});

test.afterAll(async () => {
  await served.close();
  rmSync(outDir, { recursive: true });
});

test.beforeEach(async ({ page }) => {
  await page.goto(served.url);
  await expect(page.locator('#usage')).toHaveText(/\d+ of \d+ tokens/);
});

async function send(page: Page, message: string) {
  await page.getByLabel('Message').fill(message);
  await page.getByRole('button', { name: 'Send' }).click();
}

const answer = (page: Page) => page.locator('#answer');

test('the model is available, and its download is told to the end', async ({ page }) => {
  await expect(page.locator('#availability')).toHaveText('available');
  await expect(page.locator('#download')).toHaveJSProperty('value', 1);
  const usage = await page.locator('#usage').textContent();
  expect(Number(usage?.split(' ')[0])).toBeGreaterThan(0);
  expect(await page.evaluate(() => String(Reflect.get(globalThis, 'LanguageModel').name))).toBe(
    'LanguageModel',
  );
});

test('a chat streams, remembers, and counts its tokens', async ({ page }) => {
  await send(page, 'Hello');
  await expect(answer(page)).toHaveText('You said “Hello”, after 1 others.');
  const before = await page.locator('#usage').textContent();
  await send(page, 'Again');
  await expect(answer(page)).toHaveText('You said “Again”, after 3 others.');
  await expect(page.locator('#usage')).not.toHaveText(before ?? '');
});

test('a tool runs in the page, and its result comes back in words', async ({ page }) => {
  await send(page, 'How is the weather in Oslo?');
  await expect(answer(page)).toHaveText('In Oslo there is rain.');
});

test('a long answer is stopped in the middle, and the chat goes on', async ({ page }) => {
  await send(page, 'Something long');
  await expect(answer(page)).toHaveText(/and on and on/);
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(answer(page)).toHaveText(/\[AbortError\]$/);
  await send(page, 'Hello');
  await expect(answer(page)).toHaveText('You said “Hello”, after 1 others.');
});

test('an answer follows its schema, and a clone goes its own way', async ({ page }) => {
  await page.getByRole('button', { name: 'Rate' }).click();
  await expect(page.locator('#rating')).toHaveText('5');
  await page.getByRole('button', { name: 'Branch' }).click();
  await expect(page.locator('#branched')).toHaveText('name = "Nim"');
  await send(page, 'Hello');
  await expect(answer(page)).toHaveText('You said “Hello”, after 3 others.');
});

test('what does not fit, and what comes after the end, is refused as the platform does', async ({
  page,
}) => {
  await page.getByRole('button', { name: 'Finish' }).click();
  await expect(page.locator('#error')).toHaveText('QuotaExceededError true, then AbortError');
});

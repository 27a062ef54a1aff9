/** The page, and the library in it, where nothing may be made into code but WebAssembly. */
import { expect, test } from '@playwright/test';

const POLICY = "script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'self'";

test('the page works under a strict Content-Security-Policy, its tools too', async ({ page }) => {
  test.slow();
  const violations: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') violations.push(message.text());
  });
  page.on('pageerror', (error) => violations.push(error.message));
  await page.context().route('**/*', async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers(), 'content-security-policy': POLICY };
    await route.fulfill({ response, headers });
  });
  await page.goto('/?s=calm&load=0.8');
  const agent = page.getByRole('region', { name: 'Agent', exact: true });
  await agent.getByLabel('Task for the agent').fill('What is 12*(3+4), and 23 kg in lb?');
  await agent.getByRole('button', { name: 'Run' }).click();
  await expect(agent.locator('.step').first()).toBeVisible({ timeout: 20_000 });
  await expect(agent.getByText('calculator').first()).toBeVisible({ timeout: 60_000 });
  const chat = page.getByRole('region', { name: 'Chat', exact: true });
  await expect(chat.locator('.message.assistant .markdown').first()).toBeVisible();
  // In a turn of the page's own: what a debugger evaluates may do what it likes.
  const forbidden = await page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        setTimeout(() => {
          try {
            resolve(`made into code: ${new Function('return 1')()}`);
          } catch (thrown) {
            resolve(String(thrown));
          }
        });
      }),
  );
  expect(forbidden).toMatch(/EvalError/);
  expect(violations.filter((text) => !text.includes('unsafe-eval'))).toEqual([]);
});

test('a store that holds something else does not blank the page', async ({ page }) => {
  for (const torn of [
    '5',
    '{',
    'null',
    '{"state":5}',
    '{"state":{"documents":5,"theme":{}},"version":1}',
    '{"state":{"documents":[{"levels":[[null]]}],"paused":"x"},"version":1}',
  ]) {
    await page.addInitScript((text) => {
      for (const name of ['tempo.settings', 'tempo.summarizer']) localStorage.setItem(name, text);
    }, torn);
    await page.goto('/');
    const summarizer = page.getByRole('region', { name: 'Summarizer', exact: true });
    await expect(summarizer.getByRole('progressbar').first()).toBeVisible();
  }
});

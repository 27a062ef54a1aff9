import { test as base, expect as baseExpect, type Page } from '@playwright/test';
import { type BuiltPage, builtPage } from './built-page';
import type {} from './react-page/scenes';

const expect = baseExpect.configure({ timeout: 20_000 });

// One build for all.
base.describe.configure({ mode: 'default' });

let served: BuiltPage;

base.beforeAll(async () => {
  served = await builtPage('react-page', 4490, {
    // React's development build: it mounts twice under StrictMode, and warns.
    define: { 'process.env.NODE_ENV': '"development"' },
    build: { minify: false },
    logLevel: 'error',
  });
});

base.afterAll(() => served.close());

interface Scene {
  /** Opens a scene of the page. */
  open(name: string): Promise<void>;
  /** Workers that were started so far. */
  started(): number;
  /** An error that React is to report: any other one fails the test. */
  expectError(words: RegExp): void;
}

const test = base.extend<{ scene: Scene }>({
  scene: async ({ page }, use) => {
    const errors: string[] = [];
    const thrown: string[] = [];
    const expected: RegExp[] = [];
    let workers = 0;
    page.on('worker', () => workers++);
    page.on('pageerror', (error) => thrown.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
    await use({
      open: async (name) => {
        await page.goto(`${served.url}#${name}`);
      },
      started: () => workers,
      expectError: (words) => expected.push(words),
    });
    expect(thrown).toEqual([]);
    expect(errors.filter((error) => !expected.some((words) => words.test(error)))).toEqual([]);
  },
});

const output = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

test('a provider loads its Tempo once, and leaves no worker behind', async ({ page, scene }) => {
  await scene.open('chat');
  await expect(output(page, 'Phase')).toHaveText('ready');
  expect(scene.started()).toBe(1);
  expect(page.workers()).toHaveLength(1);
  await press(page, 'Provider');
  await expect.poll(() => page.workers().length).toBe(0);
  await press(page, 'Provider');
  await expect(output(page, 'Phase')).toHaveText('ready');
  expect(scene.started()).toBe(2);
});

test('a chat streams its answer, and remembers it in the next', async ({ page, scene }) => {
  await scene.open('chat');
  await press(page, 'Greet');
  await expect(output(page, 'Status')).toHaveText('ready');
  await expect(page.locator('.assistant')).toHaveText('Good morning to you all.');
  await expect(page.locator('.assistant')).toHaveAttribute('data-finish', 'stop');
  await press(page, 'Ask');
  await expect(output(page, 'Status')).toHaveText('streaming');
  const early = (await page.locator('.assistant').last().innerText()).length;
  await expect
    .poll(async () => (await page.locator('.assistant').last().innerText()).length)
    .toBeGreaterThan(early);
  await press(page, 'Stop');
  await expect(page.locator('li')).toHaveCount(4);
});

test('to stop keeps what has come of the answer, and frees its pages', async ({ page, scene }) => {
  await scene.open('chat');
  await press(page, 'Ask');
  await expect(page.locator('.assistant')).toContainText('one model');
  await expect(output(page, 'Memory')).toHaveText(/^1 live, [1-9]/);
  await press(page, 'Stop');
  await expect(output(page, 'Status')).toHaveText('ready');
  await expect(page.locator('.assistant')).toHaveAttribute('data-finish', 'abort');
  const text = await page.locator('.assistant').innerText();
  expect(text.length).toBeGreaterThan(8);
  await expect(output(page, 'Memory')).toHaveText('0 live, 0 pages');
  expect(await page.locator('.assistant').innerText()).toBe(text);
});

test('an answer ends with the component that asked for it', async ({ page, scene }) => {
  await scene.open('chat');
  await press(page, 'Ask');
  await expect(page.locator('.assistant')).toContainText('one model');
  await press(page, 'Chat');
  await expect(output(page, 'Memory')).toHaveText('0 live, 0 pages');
  await press(page, 'Chat');
  await expect(output(page, 'Status')).toHaveText('ready');
  await expect(page.locator('li')).toHaveCount(0);
});

test('after an error the history is right, and the answer can be asked for again', async ({
  page,
  scene,
}) => {
  await scene.open('chat');
  await press(page, 'Greet');
  await expect(output(page, 'Status')).toHaveText('ready');
  await press(page, 'Ask wrongly');
  await expect(page.getByRole('alert')).toHaveText('invalid_request');
  await expect(output(page, 'Status')).toHaveText('error');
  await expect(page.locator('li')).toHaveText(['Hello', 'Good morning to you all.', 'Go on']);
  await press(page, 'Retry');
  await expect(output(page, 'Status')).toHaveText('ready');
  await expect(page.getByRole('alert')).toHaveCount(0);
  const all = ['Hello', 'Good morning to you all.', 'Go on', 'Here is the answer.'];
  await expect(page.locator('li')).toHaveText(all);
  await press(page, 'Retry');
  await expect(output(page, 'Status')).toHaveText('ready');
  await expect(page.locator('li')).toHaveText(all);
});

test('a chat that is cleared in mid-answer stays empty', async ({ page, scene }) => {
  await scene.open('chat');
  await press(page, 'Ask');
  await expect(page.locator('.assistant')).toContainText('one model');
  await press(page, 'Clear');
  await expect(output(page, 'Memory')).toHaveText('0 live, 0 pages');
  await expect(page.locator('li')).toHaveCount(0);
  await expect(output(page, 'Status')).toHaveText('ready');
});

test('two providers are two Tempos, and the inner one counts', async ({ page, scene }) => {
  await scene.open('two');
  await expect(output(page, 'First')).toHaveText('laptop-gpu');
  await expect(output(page, 'Second')).toHaveText('desktop-gpu');
  expect(scene.started()).toBe(2);
});

test('when a provider is given another Tempo, hooks follow and the answer under way is stopped', async ({
  page,
  scene,
}) => {
  await scene.open('swap');
  await expect(output(page, 'Model')).toHaveText('laptop-gpu');
  await press(page, 'Ask');
  await expect(page.locator('.assistant')).toContainText('one model');
  await press(page, 'Swap');
  await expect(output(page, 'Model')).toHaveText('desktop-gpu');
  await expect(output(page, 'Status')).toHaveText('ready');
  await expect(page.locator('.assistant')).toHaveAttribute('data-finish', 'abort');
  await press(page, 'Greet');
  await expect(page.locator('.assistant').last()).toHaveText('Good morning to you all.');
  await press(page, 'Swap');
  await expect(output(page, 'Model')).toHaveText('laptop-gpu');
  await expect(output(page, 'Memory')).toHaveText('0 live, 0 pages');
});

test('a component suspends until the Tempo is ready', async ({ page, scene }) => {
  await scene.open('suspended');
  await expect(output(page, 'Ready')).toHaveText('ready');
  await expect(page.getByText('Loading')).toHaveCount(0);
  expect(scene.started()).toBe(1);
});

test('a load that failed goes to the error boundary, which can load again', async ({
  page,
  scene,
}) => {
  scene.expectError(/abacus|error boundary|Boundary/);
  await scene.open('failing');
  await expect(page.getByRole('alert')).toContainText('abacus-q4');
  await press(page, 'Load another');
  await expect(output(page, 'Ready')).toHaveText('ready');
});

test('a page that a server rendered is taken over without a word', async ({ page, scene }) => {
  await scene.open('gate/hydrated');
  await expect(output(page, 'Ready')).toHaveText('ready');
  await expect(output(page, 'Phase')).toHaveText('ready');
  expect(await page.evaluate(() => document.body.dataset.served)).toMatch(/Loading\s*idle/);
  expect(scene.started()).toBe(1);
});

test('a chat that a server rendered works', async ({ page, scene }) => {
  await scene.open('chat/hydrated');
  await press(page, 'Greet');
  await expect(page.locator('.assistant')).toHaveText('Good morning to you all.');
});

test('a component renders again only for what it selects', async ({ page, scene }) => {
  await scene.open('watching');
  await expect(output(page, 'Phase')).toHaveText('ready');
  await press(page, 'Work');
  await expect(output(page, 'Finished')).toHaveText('1');
  await expect
    .poll(async () => Number(await output(page, 'Steps').innerText()))
    .toBeGreaterThan(20);
  const [finished, steps] = await page.evaluate(() => [
    globalThis.rendersOf('Finished'),
    globalThis.rendersOf('Steps'),
  ]);
  expect(finished).toBeLessThanOrEqual(6);
  expect(steps).toBeGreaterThan(3 * finished);
});

test('a completion is one answer, and the next one in its place', async ({ page, scene }) => {
  await scene.open('complete');
  await press(page, 'One');
  await expect(output(page, 'Whole')).toHaveText('The first answer.');
  await press(page, 'Two');
  await expect(output(page, 'Whole')).toHaveText('The second answer.');
  await expect(output(page, 'Completion')).toHaveText('The second answer.');
});

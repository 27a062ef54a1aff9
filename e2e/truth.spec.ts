/** What the page says is so: each test is a sentence that was once untrue, or a thing that was broken. */
import { expect as baseExpect, type Page, test } from '@playwright/test';

/** The engine runs in real time: on a busy machine everything takes a while. */
const expect = baseExpect.configure({ timeout: 20_000 });

const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
/** Beside the live timeline. */
const head = (page: Page, app: string) => page.locator(`.side-a .track-head[data-app="${app}"]`);
const account = (page: Page) => page.locator('.account-text');

/** Nobody is there but the reader. */
const alone = { theme: 'system', trafficChoice: false };
/** What the summarizer has: nothing. */
const nothing = { documents: [], paused: false };

/** Few enough come that the engine is not full. */
const CALM = '/?s=calm&load=0.8&b=fcfs';

async function open(page: Page, settings: object = {}, documents?: object): Promise<void> {
  await page.addInitScript(
    ([settings, documents]) => {
      if (sessionStorage.getItem('opened')) return; // a reload keeps what the test did
      sessionStorage.setItem('opened', 'yes');
      localStorage.setItem('tempo.settings', JSON.stringify({ state: settings, version: 0 }));
      if (documents !== undefined) {
        localStorage.setItem('tempo.summarizer', JSON.stringify({ state: documents, version: 1 }));
      }
    },
    [settings, documents],
  );
  await page.goto(CALM);
  await expect(page.locator('.timeline')).toBeVisible();
}

async function say(page: Page, text: string): Promise<void> {
  const chat = panel(page, 'Chat');
  await chat.getByLabel('Message to the chat').fill(text);
  await chat.getByLabel('Message to the chat').press('Enter');
}

test('a policy answers for what arrived under it, and for nothing else', async ({ page }) => {
  test.slow();
  await open(page);
  await expect(head(page, 'chat')).toContainText('100%');
  await page.getByRole('button', { name: 'Try one at a time' }).click();
  await expect(account(page)).not.toContainText('under tempo: 0%');
  // The figures are the new policy's own, from its first request on.
  await expect(page.getByText('last 30 s under webllm').first()).toBeVisible();
  await page.waitForTimeout(9000);
  await page.getByRole('button', { name: 'Back to tempo' }).click();
  await expect(page.getByText('last 30 s under tempo').first()).toBeVisible();
  const said: string[] = [];
  for (let i = 0; i < 24; i++) {
    said.push(await account(page).innerText());
    await page.waitForTimeout(500);
  }
  // What webllm left behind ends late, and is not tempo's.
  for (const sentence of said) expect(sentence).not.toMatch(/under tempo: [0-7]?\d%/);
  await expect(head(page, 'chat').locator('.track-figure')).toHaveText(/^(9\d|100)%in time/);
});

test('latencies are of the requests that the verdict is of', async ({ page }) => {
  await open(page, alone, nothing);
  await say(page, 'Who decides what runs next?');
  await expect(head(page, 'chat').locator('.track-figure')).toHaveText('100%in time');
  await expect(head(page, 'chat')).toContainText(/1 of 1; TTFT p95 \d+ of 800 ms/);
  await page.getByLabel('Other policies').selectOption('edf');
  await expect(head(page, 'chat').locator('.track-figure')).toHaveText('–in time');
  await expect(head(page, 'chat')).toContainText('none yet; TTFT p95 – of 800 ms');
});

test('the queue gives each policy’s own rule', async ({ page }) => {
  await open(page);
  const whys = () => page.locator('.queue-why td:visible').allInnerTexts();
  await page.getByLabel('Other policies').selectOption('edf');
  await expect.poll(async () => (await whys()).join('\n')).toContain('First due first; due in');
  await page.getByLabel('Other policies').selectOption('sjf');
  await expect
    .poll(async () => (await whys()).join('\n'))
    .toMatch(/Shortest predicted answer first; about \d+ to go/);
  for (const why of await whys()) expect(why).not.toContain('arrival');
});

test('the agent’s figure counts its runs, as the line beside it does', async ({ page }) => {
  test.slow();
  await open(page);
  const both = async () => {
    const text = await head(page, 'agent').innerText();
    const [, share] = text.match(/(–|\d+%)\s*in time/) ?? [];
    const [, met = '0', of = '0'] = text.match(/(\d+) of (\d+)/) ?? [];
    return { share, met: Number(met), of: Number(of) };
  };
  await expect.poll(async () => (await both()).share).toBe('–');
  expect((await both()).of).toBe(0);
  await expect.poll(async () => (await both()).of, { timeout: 60_000 }).toBeGreaterThan(0);
  const { share, met, of } = await both();
  expect(share).toBe(`${Math.round((100 * met) / of)}%`);
});

test('a run is judged by the deadline that it began with', async ({ page }) => {
  await open(page, alone, nothing);
  const agent = panel(page, 'Agent');
  await agent.getByLabel('Task for the agent').fill('What is 12*(3+4), and 23 kg in lb?');
  await agent.getByRole('button', { name: 'Run' }).click();
  await expect(agent.locator('.deadline')).toContainText('of 15.0 s');
  await agent.getByLabel('Deadline of a run').fill('1');
  await agent.getByLabel('Deadline of a run').press('Enter');
  await expect(agent.locator('.deadline')).toContainText(/In time/);
  // The ledger of the policy, too, holds it against the deadline that it began with.
  await expect(page.getByRole('row', { name: /^tempo/ }).getByTitle('1 of 1')).toHaveText('100%');
});

test('nobody is sent for visitors who are there already', async ({ page }) => {
  await open(page, {}, nothing);
  for (let i = 0; i < 12; i++) {
    await expect(account(page)).not.toContainText('turn on demo traffic');
    await page.waitForTimeout(250);
  }
  await page.getByRole('switch', { name: 'Demo traffic' }).uncheck();
  await expect(account(page)).toContainText('turn on demo traffic');
});

test('a chat that outgrows the context window goes on without its oldest turns, and says so', async ({
  page,
}) => {
  await open(page, alone, nothing);
  const chat = panel(page, 'Chat');
  const answers = chat.locator('.message.assistant');
  const alert = chat.getByRole('alert');
  // Too long by itself: no answer, and no chat that never works again.
  await say(page, 'tide '.repeat(6000));
  await expect(alert).toContainText('Shorten');
  await say(page, 'What is an SLO?');
  await expect(answers.last()).toContainText(/first .*then \d+ ms/);
  await expect(chat.getByRole('status')).toContainText('no longer fit the model’s context of');
  await expect(chat.locator('.unseen')).toBeAttached();
  await chat.getByRole('button', { name: 'New chat' }).click();
  await expect(chat.locator('.message')).toHaveCount(0);
  await expect(chat.getByRole('status')).toHaveCount(0);
});

test('the page is as high as what is on it', async ({ page }) => {
  await open(page, alone, nothing);
  for (const question of ['What is an SLO?', 'Who decides?', 'Why not one after the other?']) {
    await say(page, question);
    await expect(panel(page, 'Chat').locator('.message.assistant').last()).toContainText(
      /first .*then \d+ ms/,
    );
  }
  const [whole, seen] = await page.evaluate(() => {
    const root = document.getElementById('root');
    const bottom = root?.getBoundingClientRect().bottom ?? 0;
    return [document.documentElement.scrollHeight, bottom + scrollY];
  });
  expect(whole).toBeLessThanOrEqual(Math.ceil(seen));
});

test('forced colours keep what is chosen, whose it is, and what is late', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await open(page);
  await expect(page.locator('.queue tbody[data-app="chat"]').first()).toBeVisible();
  const background = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => getComputedStyle(element).backgroundColor);
  const swatches = await Promise.all(
    ['chat', 'agent', 'summarizer'].map((app) =>
      background(`.side-a .track-head[data-app="${app}"] .swatch`),
    ),
  );
  expect(new Set(swatches).size).toBe(3);
  expect(await background('.segments label:has(> input:checked)')).not.toBe(
    await background('.segments label:has(> input:not(:checked))'),
  );
  // The canvas, too, draws with three colours of apps.
  const canvas = page.getByRole('img', { name: /^A, what runs live/ });
  const colours = () =>
    canvas.evaluate((canvas) => {
      if (!(canvas instanceof HTMLCanvasElement)) return 0;
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
        data: [],
      };
      const hues = new Map<string, number>();
      for (let i = 0; i < data.length; i += 4) {
        const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
        if (Math.max(r, g, b) - Math.min(r, g, b) < 60) continue;
        const key = `${r},${g},${b}`;
        hues.set(key, (hues.get(key) ?? 0) + 1);
      }
      return [...hues.values()].filter((count) => count > 200).length;
    });
  await expect.poll(colours).toBeGreaterThanOrEqual(2);
  const on = await background('.switch input');
  await page.getByRole('switch', { name: 'Demo traffic' }).uncheck();
  expect(await background('.switch input')).not.toBe(on);
});

test('nothing stands out of a window of 320 px', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await open(page);
  const tabs = page.getByRole('group', { name: 'Panel to show' });
  for (const name of ['Chat', 'Agent', 'Summarizer', 'Queue', 'Numbers']) {
    await tabs.getByText(name).click();
    await expect(page.getByRole('region', { name, exact: true })).toBeVisible();
    const over = await page.evaluate(() => {
      const roots: ParentNode[] = [document];
      const wide: string[] = [];
      for (const root of roots) {
        for (const element of root.querySelectorAll('*')) {
          if (element.shadowRoot) roots.push(element.shadowRoot);
          const { right, width } = element.getBoundingClientRect();
          const scrolls = element.closest('.tab-list, .figure, .hidden-text, .probes');
          if (width > 1 && right > innerWidth + 0.5 && !scrolls) wide.push(element.outerHTML);
        }
      }
      return wide.map((html) => html.slice(0, 120));
    });
    expect(over).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  }
});

test('a text of many parts shows how far it is', async ({ page }) => {
  const text = 'The tide comes in twice a day, and goes out as often. '.repeat(2900);
  await open(page, alone, nothing);
  const summarizer = panel(page, 'Summarizer');
  await summarizer.getByRole('button', { name: 'Paste text' }).click();
  await summarizer.getByLabel('Text to summarize').fill(text);
  await summarizer.getByRole('button', { name: 'Summarize' }).click();
  const bar = summarizer.getByRole('progressbar');
  await expect
    .poll(async () => Number(await bar.getAttribute('aria-valuenow')), { timeout: 60_000 })
    .toBeGreaterThan(8);
  expect(Number(await bar.getAttribute('aria-valuemax'))).toBeGreaterThan(100);
  const { done, whole } = await bar.evaluate((bar) => ({
    done: bar.querySelector('.part.done')?.getBoundingClientRect().width ?? 0,
    whole: bar.getBoundingClientRect().width,
  }));
  expect(done).toBeGreaterThan(whole / 40);
  expect(done).toBeLessThan(whole);
});

test('what cannot be fetched is said in words', async ({ page, context }) => {
  await open(page, alone, nothing);
  await expect(page.locator('.lamp.ready')).toBeVisible();
  await context.setOffline(true);
  const agent = panel(page, 'Agent');
  await agent.getByLabel('Task for the agent').fill('What is 2+2?');
  await agent.getByRole('button', { name: 'Run' }).click();
  await expect(agent.getByRole('alert')).toContainText('could not be fetched. Look whether you');
  await expect(agent.getByRole('alert')).not.toContainText(/module|http/);
  await context.setOffline(false);
  await agent.getByRole('button', { name: 'Retry' }).click();
  await expect(agent.locator('.run-answer')).toContainText('4');
});

test('an engine that cannot be fetched says so in words, and starts once it can', async ({
  page,
}) => {
  await page.route('**/assets/simulated-*.js', (route) => route.abort());
  await open(page, alone, nothing);
  const strip = page.locator('.strip');
  await expect(strip).toContainText('could not be fetched. Look whether you are online');
  await expect(page.getByText(/dynamically imported/)).toHaveCount(0);
  await page.unroute('**/assets/simulated-*.js');
  await strip.getByRole('button', { name: 'Start it again' }).click();
  await expect(page.locator('.lamp.ready')).toBeVisible();
  await expect(strip).toHaveCount(0);
});

test('an objective that is left empty, or by Escape, stays as it was', async ({ page }) => {
  await open(page, alone, nothing);
  const chat = panel(page, 'Chat');
  const field = chat.getByLabel('Time to first token');
  await field.fill('');
  await field.press('Enter');
  await expect(field).toHaveValue('800');
  await expect(chat.getByRole('alert')).toHaveCount(0);
  await field.fill('-5');
  await field.press('Enter');
  await expect(chat.getByRole('alert')).toBeVisible();
  await field.press('Escape');
  await expect(field).toHaveValue('800');
  await expect(chat.getByRole('alert')).toHaveCount(0);
  await field.fill('12');
  await field.press('Escape');
  await field.blur();
  await expect(head(page, 'chat')).toContainText('of 800 ms');
});

test('what the reader chose is there after a reload', async ({ page }) => {
  await open(page, alone, nothing);
  await page.getByLabel('Other policies').selectOption('qlm');
  const field = panel(page, 'Chat').getByLabel('Time to first token');
  await field.fill('950');
  await field.press('Enter');
  await expect(head(page, 'chat')).toContainText('of 950 ms');
  await page.getByRole('button', { name: /Laptop GPU/ }).click();
  await page.getByRole('radio', { name: /^Desktop GPU/ }).check();
  await page.getByRole('button', { name: 'Load' }).click();
  await expect(page.locator('.lamp.ready')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', { name: /Desktop GPU/ })).toBeVisible();
  await expect(page.getByLabel('Other policies')).toHaveValue('qlm');
  await expect(page.getByRole('switch', { name: 'Demo traffic' })).not.toBeChecked();
  await expect(field).toHaveValue('950');
  await expect(head(page, 'chat')).toContainText('of 950 ms');
  await expect(page.getByText('last 30 s under qlm').first()).toBeVisible();
});

test('nothing moves by itself while the queue is read', { tag: '@phone' }, async ({ page }) => {
  await open(page);
  const tabs = page.getByRole('group', { name: 'Panel to show' });
  if ((await tabs.count()) > 0) await tabs.getByText('Queue').click();
  await expect(page.locator('.queue tbody[data-app="chat"]').first()).toBeVisible();
  await page.waitForTimeout(1500);
  const { shift, sources } = await page.evaluate(async () => {
    let shift = 0;
    const sources: string[] = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        shift += Number(Reflect.get(entry, 'value'));
        for (const { node } of Reflect.get(entry, 'sources') ?? []) {
          if (node instanceof Element) sources.push(node.outerHTML.slice(0, 100));
        }
      }
    }).observe({ type: 'layout-shift' });
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    return { shift, sources };
  });
  console.log(`layout shift over 10 s: ${shift.toFixed(3)}`, sources.slice(0, 6));
  expect(shift).toBeLessThan(0.05);
});

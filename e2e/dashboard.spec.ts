import { test as base, expect as baseExpect, type Page } from '@playwright/test';
import { type BuiltPage, builtPage } from './built-page';
import type {} from './dashboard-page/main';

const expect = baseExpect.configure({ timeout: 20_000 });

// One build for all.
base.describe.configure({ mode: 'default' });

let served: BuiltPage;

base.beforeAll(async () => {
  served = await builtPage('dashboard-page', 4590, { logLevel: 'error' });
});

base.afterAll(() => served.close());

/** Marks a test in which a warning with these words is right. */
const warning = (words: string) => ({ annotation: { type: 'warning', description: words } });

/** A page whose policy forbids inline styles. An error or a warning that is not expected fails the test. */
const test = base.extend<{ opened: Page }>({
  opened: async ({ page }, use, { annotations }) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
    await page.goto(served.url);
    await page.waitForFunction(() => globalThis.work !== undefined);
    await use(page);
    const expected = annotations.map(({ description = '' }) => description);
    expect(errors.filter((error) => !expected.some((words) => error.includes(words)))).toEqual([]);
  },
});

/** Puts a dashboard into the page, connected to a Tempo that is ready. */
async function embed(page: Page, attributes: Record<string, string> = {}): Promise<void> {
  await page.evaluate(async (attributes) => {
    await globalThis.importDashboard();
    globalThis.tempo = globalThis.createTempo({ engine: 'simulated' });
    await globalThis.tempo.ready;
    const dashboard = document.createElement('tempo-dashboard');
    for (const [name, value] of Object.entries(attributes)) dashboard.setAttribute(name, value);
    dashboard.tempo = globalThis.tempo;
    document.body.append(dashboard);
  }, attributes);
}

const work = (page: Page, tokens: number, ...apps: string[]) =>
  page.evaluate(([tokens, apps]) => globalThis.work(globalThis.tempo, tokens, ...apps), [
    tokens,
    apps,
  ] as const);

/** The same, not waited for. */
const beginWork = (page: Page, tokens: number, ...apps: string[]) =>
  page.evaluate(
    ([tokens, apps]) => {
      void globalThis.work(globalThis.tempo, tokens, ...apps);
    },
    [tokens, apps] as const,
  );

const head = (page: Page, app: string) => page.locator(`.track-head[data-app="${app}"]`);
const canvas = (page: Page) => page.getByRole('img', { name: /^Steps of the last seconds/ });
const picture = (page: Page) =>
  canvas(page).evaluate((element) =>
    element instanceof HTMLCanvasElement ? element.toDataURL() : '',
  );
const colour = (page: Page, app: string) =>
  head(page, app)
    .locator('.swatch')
    .evaluate((swatch) => getComputedStyle(swatch).backgroundColor);
const draws = async (page: Page, ms: number) => {
  const before = await page.evaluate(() => globalThis.drawings);
  await page.waitForTimeout(ms);
  return (await page.evaluate(() => globalThis.drawings)) - before;
};

test('any page can hold it: apps come up as they ask, with timeline, queue and numbers', async ({
  opened: page,
}) => {
  await embed(page);
  await expect(page.getByText('Nothing has run yet.')).toBeVisible();
  await expect(page.getByText('No request is live.')).toBeVisible();
  await beginWork(page, 400, 'search', 'writer');
  for (const app of ['search', 'writer']) {
    await expect(head(page, app)).toContainText(app);
    await expect(page.locator(`.queue tbody[data-app="${app}"]`)).toBeVisible();
    await expect(page.locator(`.latencies tr[data-app="${app}"]`)).toContainText(/\d/);
  }
  await expect(page.getByText('Nothing has run yet.')).toBeHidden();
  await expect(page.locator('.timeline').getByText('simulated')).toBeVisible();
  await expect(page.getByRole('row', { name: /^tempo/ })).toBeVisible();
  for (const name of ['Timeline', 'Queue', 'Numbers']) {
    await expect(page.getByRole('region', { name, exact: true })).toBeVisible();
  }
});

test('apps have the labels, colours, order and facts that the page gives them', async ({
  opened: page,
}) => {
  await embed(page, { show: 'timeline' });
  await page.evaluate(() => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    Object.assign(dashboard, {
      apps: {
        writer: { label: 'The writer', color: 'rgb(1, 2, 3)' },
        search: { facts: () => [{ name: 'pages found', value: '7', target: 'of 9' }] },
      },
    });
  });
  await expect(page.locator('.track-head h3')).toHaveText(['The writer', 'search', 'Engine']);
  expect(await colour(page, 'writer')).toBe('rgb(1, 2, 3)');
  await expect(head(page, 'search')).toContainText('pages found7of 9');
  await work(page, 5, 'other');
  await expect(page.locator('.track-head h3')).toHaveText([
    'The writer',
    'search',
    'other',
    'Engine',
  ]);
});

test('an app’s figures follow from what it asks for', async ({ opened: page }) => {
  await embed(page, { show: 'timeline' });
  await page.evaluate(async () => {
    const chat = globalThis.tempo.app('chat', { slo: { class: 'latency', ttft: 900, tbt: 90 } });
    const messages = [{ role: 'user', content: 'Go on' }] as const;
    await chat.chat.completions.create({ messages, max_tokens: 9 });
    const slo = { class: 'deadline', ttlt: 5000 } as const;
    await globalThis.tempo
      .app('extract')
      .chat.completions.create({ messages, slo, max_tokens: 9, ignore_eos: true });
  });
  await work(page, 9, 'bulk');
  await expect(head(page, 'chat')).toContainText(/100%in time.*TTFT, p95\d+of 900 ms/);
  await expect(head(page, 'extract')).toContainText(/100%in time.*TTLT, p95\d+of 5000 ms/);
  await expect(head(page, 'bulk')).toContainText(/[\d–]+tokens\/s.*finished1/);
});

test('an app that has no colour of its own has the same one on every visit', async ({
  opened: page,
}) => {
  const colours = async () => {
    await embed(page, { show: 'timeline' });
    await work(page, 3, 'search', 'writer', 'editor');
    await expect(head(page, 'editor')).toBeVisible();
    return Promise.all(['search', 'writer', 'editor'].map((app) => colour(page, app)));
  };
  const first = await colours();
  expect(new Set(first).size).toBe(3);
  await page.reload();
  await page.waitForFunction(() => globalThis.work !== undefined);
  expect(await colours()).toEqual(first);
});

test('properties that were set before it was defined count', async ({ opened: page }) => {
  await page.evaluate(async () => {
    const dashboard = document.createElement('tempo-dashboard');
    globalThis.tempo = globalThis.createTempo({ engine: 'simulated' });
    Object.assign(dashboard, { tempo: globalThis.tempo, apps: { chat: { label: 'Early' } } });
    document.body.append(dashboard);
    await globalThis.importDashboard();
  });
  await expect(head(page, 'chat')).toContainText('Early');
  await work(page, 5, 'search');
  await expect(head(page, 'search')).toBeVisible();
});

test(
  'shows the parts that it is told to, and says which words it does not know',
  warning('has no part "nonsense"'),
  async ({ opened: page }) => {
    await embed(page, { show: 'numbers' });
    const parts = page.locator('tempo-dashboard section.timeline, section.queue, section.numbers');
    await expect(parts).toHaveCount(1);
    await expect(page.getByRole('region', { name: 'Numbers' })).toBeVisible();
    await expect(page.locator('.u-wrap canvas')).toHaveCount(2);
    await page.evaluate(() => {
      document.getElementsByTagName('tempo-dashboard')[0].show = 'queue timeline nonsense';
    });
    await expect(page.getByRole('region', { name: 'Numbers' })).toHaveCount(0);
    await expect(parts).toHaveCount(2);
    await work(page, 5, 'search');
    await expect(head(page, 'search')).toBeVisible();
  },
);

test('many dashboards watch a Tempo once, and none while they are out of the page', async ({
  opened: page,
}) => {
  const counts = await page.evaluate(async () => {
    await globalThis.importDashboard();
    const real = globalThis.createTempo({ engine: 'simulated' });
    let open = 0;
    let most = 0;
    const watch: typeof real.watch = (...args) => {
      most = Math.max(most, ++open);
      const stop = real.watch(...args);
      return () => {
        open--;
        stop();
      };
    };
    const tempo = new Proxy(real, {
      get: (target, name) => (name === 'watch' ? watch : Reflect.get(target, name)),
    });
    const dashboards = ['timeline', 'queue', 'numbers'].map((show) => {
      const dashboard = document.createElement('tempo-dashboard');
      Object.assign(dashboard, { tempo, show });
      document.body.append(dashboard);
      return dashboard;
    });
    const inside = open;
    for (const dashboard of dashboards) dashboard.remove();
    const outside = open;
    document.body.append(dashboards[0]);
    return { inside, outside, again: open, most };
  });
  expect(counts).toEqual({ inside: 1, outside: 0, again: 1, most: 1 });
});

test('that is moved about remembers, and draws nothing while it is out of the page', async ({
  opened: page,
}) => {
  await embed(page, { show: 'timeline' });
  await page.getByText('20 s', { exact: true }).click();
  await work(page, 20, 'search');
  await expect(head(page, 'search')).toContainText('finished1');
  await page.evaluate(() => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    const box = document.body.appendChild(document.createElement('div'));
    box.append(dashboard);
    dashboard.remove();
    Object.assign(globalThis, { dashboard });
    void globalThis.work(globalThis.tempo, 300, 'search');
  });
  expect(await draws(page, 400)).toBe(0);
  await page.evaluate(() => document.body.append(Reflect.get(globalThis, 'dashboard')));
  await expect(page.getByRole('radio', { name: '20 s' })).toBeChecked();
  await expect(page.getByText('Nothing has run yet.')).toBeHidden();
  await canvas(page).focus();
  await canvas(page).press('ArrowLeft');
  await expect(page.locator('.step-card')).toContainText(/Step \d+/);
});

test('can be connected to another Tempo, and to none', async ({ opened: page }) => {
  await page.evaluate(async () => {
    await globalThis.importDashboard();
    document.body.append(document.createElement('tempo-dashboard'));
  });
  await expect(page.getByText('Connected to no Tempo.')).toBeVisible();
  await page.evaluate(async () => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    dashboard.tempo = globalThis.createTempo({ engine: 'simulated' });
    await globalThis.work(dashboard.tempo, 5, 'one');
  });
  await expect(head(page, 'one')).toContainText('finished1');
  await page.evaluate(async () => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    dashboard.tempo = globalThis.createTempo({ engine: 'simulated' });
    await globalThis.work(dashboard.tempo, 5, 'two');
  });
  await expect(head(page, 'two')).toContainText('finished1');
  await expect(head(page, 'one')).toContainText('finished0');
  await page.evaluate(async () => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    await dashboard.tempo?.dispose();
  });
  await page.waitForTimeout(600);
  await page.evaluate(() => {
    document.getElementsByTagName('tempo-dashboard')[0].tempo = null;
  });
  await expect(page.getByText('Connected to no Tempo.')).toBeVisible();
});

test('says that a load failed, and why', async ({ opened: page }) => {
  await page.evaluate(async () => {
    await globalThis.importDashboard();
    const dashboard = document.createElement('tempo-dashboard');
    dashboard.tempo = globalThis.createTempo({ model: 'abacus-q4' });
    document.body.append(dashboard);
  });
  await expect(page.locator('.timeline-empty')).toContainText('abacus-q4');
});

test('takes the colours of where it stands, also while nothing runs', async ({ opened: page }) => {
  await embed(page, { show: 'timeline numbers' });
  await work(page, 5, 'search');
  await expect(head(page, 'search')).toContainText('finished1');
  await page.getByRole('button', { name: 'Pause' }).click();
  const background = () =>
    page
      .locator('tempo-dashboard')
      .evaluate((dashboard) => getComputedStyle(dashboard).backgroundColor);
  const light = await picture(page);
  expect(await background()).toBe('rgb(255, 255, 255)');
  await page.evaluate(() => document.documentElement.classList.add('dark'));
  await expect.poll(() => picture(page)).not.toBe(light);
  expect(await background()).toBe('rgb(20, 23, 26)');
  const dark = await picture(page);
  await page.evaluate(() => {
    document.getElementsByTagName('tempo-dashboard')[0].theme = 'light';
  });
  await expect.poll(() => picture(page)).toBe(light);
  await page.evaluate(() => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    dashboard.theme = null;
    dashboard.style.setProperty('--tempo-ink', 'rgb(200, 0, 0)');
    dashboard.style.setProperty('--tempo-surface', 'rgb(0, 30, 0)');
  });
  await expect.poll(() => picture(page)).not.toBe(dark);
  expect(await background()).toBe('rgb(0, 30, 0)');
});

test('a word of the page’s own stands across the timeline', async ({ opened: page }) => {
  await embed(page, { show: 'timeline' });
  await work(page, 5, 'search');
  await expect(head(page, 'search')).toContainText('finished1');
  await page.waitForTimeout(1500); // its clock stands still
  const before = await picture(page);
  await page.evaluate(() =>
    document.getElementsByTagName('tempo-dashboard')[0].mark('something happened'),
  );
  await expect.poll(() => picture(page)).not.toBe(before);
});

test('fits the width that it is given, as wide as a page or as narrow as a phone', async ({
  opened: page,
}) => {
  await embed(page);
  await work(page, 20, 'search', 'writer');
  await expect(page.locator('.legend')).toBeVisible();
  await expect(page.getByRole('radio', { name: '8 s' })).toBeChecked();
  for (const width of [1000, 700, 320]) {
    await page.setViewportSize({ width, height: 800 });
    await expect(page.locator('.legend')).toBeHidden();
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
      .toBeLessThanOrEqual(0);
  }
  await expect(page.getByRole('radio', { name: '4 s' })).toBeChecked();
  await expect(page.locator('.engine-head h3')).toBeHidden();
  const box = await canvas(page).boundingBox();
  expect(box?.width).toBe(320);
  expect(
    await canvas(page).evaluate(
      (element) => element instanceof HTMLCanvasElement && element.width / devicePixelRatio,
    ),
  ).toBe(320);
});

test('is used by keyboard: a step is looked at, the view paused and zoomed', async ({
  opened: page,
}) => {
  await embed(page, { show: 'timeline' });
  await work(page, 40, 'search');
  await canvas(page).focus();
  await canvas(page).press('ArrowLeft');
  const card = page.locator('.step-card');
  await expect(card).toContainText(/Step \d+/);
  await expect(card).toContainText(/search .*decoded/);
  const step = await card.locator('b').innerText();
  await canvas(page).press('ArrowLeft');
  await expect(card.locator('b')).not.toHaveText(step);
  await canvas(page).press('Escape');
  await expect(card).toHaveCount(0);
  await canvas(page).press(' ');
  await expect(page.getByRole('button', { name: 'Go on' })).toBeVisible();
  await canvas(page).press('+');
  await expect(page.getByRole('radio', { name: '4 s' })).toBeChecked();
});

test('moves in few steps where less motion is wished for', async ({ opened: page }) => {
  await embed(page, { show: 'timeline' });
  await work(page, 2, 'search');
  await beginWork(page, 3000, 'search');
  await expect(page.locator('.timeline-empty')).toBeHidden();
  const usual = await draws(page, 2000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const reduced = await draws(page, 2000);
  expect(reduced).toBeLessThanOrEqual(6);
  expect(reduced).toBeGreaterThan(0);
  expect(usual).toBeGreaterThan(3 * reduced);
});

test('more apps than there is room for are counted', async ({ opened: page }) => {
  await embed(page, { show: 'timeline' });
  const apps = Array.from({ length: 14 }, (_, i) => `app ${i}`);
  await work(page, 3, ...apps);
  await expect(page.locator('.track-head h3')).toHaveCount(13);
  await expect(page.locator('.engine-head')).toContainText('and 2 more apps');
});

test('can have other names, and be imported twice', async ({ opened: page }) => {
  const found = await page.evaluate(async () => {
    const { defineTempoDashboard, TempoDashboard } = await globalThis.importDashboard();
    defineTempoDashboard();
    defineTempoDashboard('engine-room');
    defineTempoDashboard('engine-room');
    const made = ['tempo-dashboard', 'engine-room'].map((name) => document.createElement(name));
    let refused: unknown;
    try {
      defineTempoDashboard('Nonsense');
    } catch (error) {
      refused = error;
    }
    return {
      made: made.every((element) => element instanceof TempoDashboard),
      refused: refused instanceof Error && { ...refused },
    };
  });
  expect(found).toMatchObject({ made: true, refused: { code: 'invalid_request', param: 'name' } });
});

test('refuses what is no Tempo and no app at once, by name, and goes on as it was', async ({
  opened: page,
}) => {
  await embed(page, { show: 'timeline' });
  const params = await page.evaluate(() => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    const bad = [
      { tempo: 5 },
      { tempo: {} },
      { apps: 'chat' },
      { apps: { chat: 'blue' } },
      { apps: { chat: { colour: 'blue' } } },
      { apps: { chat: { color: 5 } } },
      { apps: { chat: { lanes: 9 } } },
      { apps: { chat: { facts: [] } } },
    ];
    return bad.map((properties) => {
      try {
        Object.assign(dashboard, properties);
        return 'taken';
      } catch (error) {
        return error instanceof Error && Reflect.get(error, 'param');
      }
    });
  });
  expect(params).toEqual([
    'tempo',
    'tempo',
    'apps',
    'apps.chat',
    'apps.chat.colour',
    'apps.chat.color',
    'apps.chat.lanes',
    'apps.chat.facts',
  ]);
  await page.evaluate(() => {
    const [dashboard] = document.getElementsByTagName('tempo-dashboard');
    dashboard.apps = { search: { label: null, color: undefined, lanes: null, facts: null } };
    dashboard.apps = null;
  });
  await work(page, 5, 'search');
  await expect(head(page, 'search')).toContainText('finished1');
});

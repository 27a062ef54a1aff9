import type { Browser, BrowserContext, Locator, Page, Route } from '@playwright/test';

/** Longest that a page may take for anything, ms. */
const LIMIT_MS = 60_000;

declare global {
  /** What the page's `output` has shown since it was last empty, one text for each change. */
  var shown: string[];
  /** What a page that checks itself found wrong. */
  var trouble: Promise<string[]>;
}

/** A chat page's answer streams in, WebLLM is found where it is wanted, and so is the grammar worker. */
export async function ask(browser: Browser, url: string): Promise<void> {
  await askOwnWorker(browser, url);
  const context = await browser.newContext();
  await context.route(/\/webllm\b[^/]*\.js/, (route) => route.fulfill(STARTS_GRAMMARS));
  // What is under way when the page is closed is nobody's any more.
  await context.route(NAMELESS, (route) => startGrammarsInstead(route).catch(() => {}));
  await visit(context, `${url}?model=any`, (page) =>
    page.getByRole('status').filter({ hasText: 'Grammar worker: ready' }).waitFor(),
  );
  await context.close();
}

/** The same of a page with a worker of its own, which has no grammar worker beside it. */
export async function askOwnWorker(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext();
  await visit(context, url, chat);
  // To know that there is no such model, WebLLM has to be loaded.
  await visit(context, `${url}?model=no-such-model`, (page) =>
    page.getByRole('status').filter({ hasText: 'no-such-model' }).waitFor(),
  );
  await context.close();
}

/** A file that webpack has copied, known by its content alone. */
const NAMELESS = /\/[0-9a-f]{16,}\.js/;

/** In place of WebLLM: a load that says whether the grammar worker has started. */
const STARTS_GRAMMARS = {
  contentType: 'text/javascript',
  headers: { 'access-control-allow-origin': '*' },
  body: `
  export async function checkWebLlmModels() {}
  export async function isEmbeddingModel() { return false; }
  export async function loadWebLlmEngine({ startGrammars }) {
    const said = await new Promise((resolve) => {
      const worker = startGrammars();
      if (worker === undefined) return resolve('none');
      worker.addEventListener('message', ({ data }) => resolve(data.type));
      worker.addEventListener('error', ({ message }) => resolve('refused ' + message));
    });
    throw new Error('Grammar worker: ' + said);
  }
`,
};

async function startGrammarsInstead(route: Route): Promise<void> {
  const response = await route.fetch();
  const isWebLlm = (await response.text()).includes('MLCEngine');
  await route.fulfill(isWebLlm ? STARTS_GRAMMARS : { response });
}

/** An example's answer streams in; without a GPU, its model does not load, and the page says so. */
export async function tryOut(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext();
  await visit(context, `${url}?engine=simulated`, chat);
  await visit(context, url, (page) =>
    page.getByRole('alert').filter({ hasText: 'WebGPU' }).waitFor(),
  );
  await context.close();
}

/** Two pages get their answers from one server; when the first leaves, the second's goes on. */
export async function shareOneServer(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext();
  await visit(context, url, async (first) => {
    await visit(context, url, async (second) => {
      await button(first).click();
      await first.getByText('Answers under way: 1').waitFor();
      await button(second).click();
      await second.getByText('Answers under way: 2').waitFor();
      await first.close();
      await second.getByText('Answers under way: 1').waitFor();
      await streamed(second);
    });
  });
  await context.close();
}

/** The page checks itself. */
export async function believe(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext();
  await visit(context, url, async (page) => {
    const trouble = await page.evaluate(() => globalThis.trouble);
    if (trouble.length > 0) throw new Error(trouble.join('\n'));
  });
  await context.close();
}

/** Opens a page for `work`. What the page reports as an error is thrown, and so is what it shows. */
async function visit(
  context: BrowserContext,
  url: string,
  work: (page: Page) => Promise<unknown>,
): Promise<void> {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const trouble = new Promise<never>((_, reject) => {
    page.on('pageerror', ({ message }) => reject(new Error(message)));
    page.on('console', (message) => {
      const { url: source } = message.location();
      if (message.type() !== 'error' || source.endsWith('/favicon.ico')) return;
      reject(new Error(`${message.text()} (${source})`));
    });
  });
  trouble.catch(() => {}); // heard of below, if it comes in time
  await page.addInitScript(noteOutput);
  try {
    await Promise.race([page.goto(url).then(() => work(page)), trouble]);
  } catch (error) {
    const text = page.isClosed() ? 'nothing: it is closed' : await page.innerText('body');
    throw new Error(`${error instanceof Error ? error.message : error}\n${url} shows: ${text}`);
  }
  await page.close();
}

function noteOutput(): void {
  globalThis.shown = [];
  new MutationObserver(() => {
    const text = document.querySelector('output')?.textContent ?? '';
    if (text === '') globalThis.shown = [];
    else if (text !== globalThis.shown.at(-1)) globalThis.shown.push(text);
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** Enabled while the engine is ready and no answer is under way. */
const button = (page: Page): Locator => page.getByRole('button', { name: 'Ask' });

async function chat(page: Page): Promise<void> {
  await button(page).click();
  await streamed(page);
}

/** Waits for the end of the answer. Throws unless it grew piece by piece. */
async function streamed(page: Page): Promise<void> {
  await page.getByRole('status').filter({ hasText: /\S/ }).first().waitFor();
  await button(page).and(page.locator(':enabled')).waitFor();
  const shown = await page.evaluate(() => globalThis.shown);
  const grows = shown.every((text, i) => i === 0 || text.startsWith(shown[i - 1]));
  if (shown.length < 3 || !grows) throw new Error(`no stream: ${JSON.stringify(shown)}`);
}

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { type ServedSite, type Site, serveFolder } from '../scripts/static-server';
import { libraryFolder } from './library-folder';
import type {} from './worker-page/main';

/** The built package with a page beside it that has nothing but the client. */
let folder: string;
const sites: ServedSite[] = [];

const WORKER = 'page-worker.js';
const AWAY = 'away.txt';
const PAGE = '<!doctype html><title>Client</title><script type="module" src="./main.js"></script>';
const MAIN = `
const from = new URLSearchParams(location.search).get('from');
globalThis.client = await import(from ?? './index.js');
`;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  folder = await libraryFolder();
  writeFileSync(join(folder, 'index.html'), PAGE);
  writeFileSync(join(folder, 'main.js'), MAIN);
});

test.afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

test.afterAll(() => rmSync(folder, { recursive: true }));

async function serve(site: Omit<Site, 'folder'> = {}): Promise<string> {
  const served = await serveFolder({ folder, ...site });
  sites.push(served);
  return served.url;
}

const csp = (...directives: string[]) => ({ 'content-security-policy': directives.join('; ') });

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction(() => globalThis.client !== undefined);
}

/** Creates a Tempo, and gathers what everything that waits for it gets: the one sentence. */
async function failure(page: Page, worker?: string): Promise<string> {
  const errors = await failures(page, worker);
  expect(new Set(errors).size).toBe(1);
  return errors[0];
}

async function failures(page: Page, worker?: string): Promise<string[]> {
  const { phases, errors } = await page.evaluate(async (worker) => {
    const { createTempo, TempoError } = globalThis.client;
    const tempo = createTempo({
      engine: 'simulated',
      worker: worker === undefined ? undefined : () => new Worker(worker),
    });
    globalThis.tempo = tempo;
    const phases: string[] = [];
    tempo.onState(({ phase }) => phases.push(phase));
    const messages = [{ role: 'user' as const, content: 'Hello' }];
    const { completions } = tempo.app('chat').chat;
    const waiting = [
      tempo.ready,
      completions.create({ messages }),
      completions.create({ messages, stream: true }),
      tempo.program({ app: 'agent', deadline: 1000 }).end(),
      tempo.importProfile('{}'),
    ];
    const thrown = await Promise.all(waiting.map((call) => call.catch((error: unknown) => error)));
    const errors = thrown.map((error) =>
      error instanceof TempoError ? `${error.code}: ${error.message}` : `raw: ${error}`,
    );
    const { state } = tempo;
    if (state.phase === 'failed') errors.push(`${state.error.code}: ${state.error.message}`);
    return { phases, errors };
  }, worker);
  expect(phases.at(-1)).toBe('failed');
  expect(errors).toHaveLength(6);
  return errors;
}

/** Loads again, and has an answer. */
async function tryAgain(page: Page): Promise<string | null> {
  return page.evaluate(async () => {
    await globalThis.tempo.load({ engine: 'simulated' });
    const answer = await globalThis.tempo.app('chat').chat.completions.create({
      messages: [{ role: 'user', content: 'Hello' }],
      simulate: { content: 'Here I am.' },
    });
    return answer.choices[0].message.content;
  });
}

test.describe('where the worker is missing', () => {
  test.beforeEach(() => renameSync(join(folder, WORKER), join(folder, AWAY)));
  test.afterEach(() => renameSync(join(folder, AWAY), join(folder, WORKER)));

  test('the status is told, and a load once it is there succeeds', async ({ page }) => {
    const url = await serve();
    await open(page, url);
    const error = await failure(page);
    expect(error).toMatch(/^worker_unavailable: /);
    expect(error).toContain(`${url}${WORKER}`);
    expect(error).toContain('the server answers 404 there');

    renameSync(join(folder, AWAY), join(folder, WORKER));
    try {
      expect(await tryAgain(page)).toBe('Here I am.');
    } finally {
      renameSync(join(folder, WORKER), join(folder, AWAY));
    }
  });

  test('a server that answers with its page instead is seen through', async ({ page }) => {
    const url = await serve({ fallback: true });
    await open(page, url);
    const error = await failure(page);
    expect(error).toMatch(/^worker_unavailable: /);
    expect(error).toContain(`${url}${WORKER}`);
    expect(error).toContain('what is there is no JavaScript (text/html');
  });

  test('the error is typed where the whole package went with it', async ({ page }) => {
    await open(page, await serve());
    await page.route('**/chunks/**', (route) => route.abort());
    for (const error of await failures(page)) expect(error).toMatch(/^worker_unavailable: /);
  });
});

test('a Content-Security-Policy without worker-src is named', async ({ page }) => {
  const headers = csp("default-src 'self'", "worker-src 'none'");
  const url = await serve({ headers });
  await open(page, url);
  const error = await failure(page);
  expect(error).toMatch(/^worker_unavailable: /);
  expect(error).toContain(`${url}${WORKER}`);
  expect(error).toContain("the page's Content-Security-Policy forbids");
  expect(error).toContain('worker-src');
});

test('Trusted Types without the policy of Tempo say which to allow', async ({ page }) => {
  const headers = csp("require-trusted-types-for 'script'", 'trusted-types another');
  const url = await serve({ headers });
  await open(page, url);
  const error = await failure(page);
  expect(error).toMatch(/^worker_unavailable: /);
  expect(error).toContain(`${url}${WORKER}`);
  expect(error).toContain('trusted-types tempo-llm');
});

test('another origin that lets nobody read the worker is told so', async ({ page }) => {
  const cdn = await serve({
    headers: (path) => (path.endsWith(WORKER) ? {} : { 'access-control-allow-origin': '*' }),
  });
  await open(page, `${await serve()}?from=${cdn}index.js`);
  const error = await failure(page);
  expect(error).toMatch(/^worker_unavailable: /);
  expect(error).toContain(`${cdn}${WORKER}`);
  expect(error).toContain('Access-Control-Allow-Origin');
});

test('an isolated page whose worker is not isolated is told so', async ({ page }) => {
  const isolated = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  const url = await serve({ headers: (path) => (path.endsWith(WORKER) ? {} : isolated) });
  await open(page, url);
  const error = await failure(page);
  expect(error).toMatch(/^worker_unavailable: /);
  expect(error).toContain(`${url}${WORKER}`);
  expect(error).toContain('Cross-Origin-Embedder-Policy');
});

test.describe('a worker of the page’s own', () => {
  test('that takes its time to load Tempo is waited for', async ({ page }) => {
    writeFileSync(join(folder, 'late.js'), "setTimeout(() => import('./worker.js'), 300);");
    await open(page, await serve());
    const phase = await page.evaluate(async () => {
      const worker = () => new Worker('./late.js', { type: 'module' });
      const tempo = globalThis.client.createTempo({ engine: 'simulated', worker });
      await tempo.ready;
      const { phase } = tempo.state;
      await tempo.dispose();
      return phase;
    });
    expect(phase).toBe('ready');
  });

  test('that is there already serves one Tempo after another', async ({ page }) => {
    await open(page, await serve());
    const phases = await page.evaluate(async () => {
      const worker = new Worker('./worker.js', { type: 'module' });
      const phases: string[] = [];
      for (let i = 0; i < 2; i++) {
        const tempo = globalThis.client.createTempo({ engine: 'simulated', worker });
        await tempo.ready;
        phases.push(tempo.state.phase);
      }
      worker.terminate();
      return phases;
    });
    expect(phases).toEqual(['ready', 'ready']);
  });

  test('that is not there gives the same kind of error', async ({ page }) => {
    await open(page, await serve());
    const error = await failure(page, './nowhere.js');
    expect(error).toMatch(/^worker_unavailable: The worker given as `worker` did not start: /);
  });

  test('that throws as it starts gives its words', async ({ page }) => {
    writeFileSync(join(folder, 'broken.js'), "throw new Error('no battery');");
    await open(page, await serve());
    const error = await failure(page, './broken.js');
    expect(error).toMatch(/^worker_unavailable: .*no battery/);
  });

  test('that the browser refuses to make gives its words', async ({ page }) => {
    await open(page, await serve());
    const elsewhere = await serve();
    const error = await failure(page, `${elsewhere}worker.js`);
    expect(error).toMatch(/^worker_unavailable: /);
    expect(error).toContain(elsewhere);
  });
});

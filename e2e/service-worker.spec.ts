import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { type ServedPage, servePage } from '../scripts/page';
import { libraryFolder } from './library-folder';

/** A page that offers a Tempo, one that only asks, and a service worker between them. */
const FILES: Record<string, string> = {
  'sw.js': `
    import { handleTempoRequests } from './service-worker.js';
    handleTempoRequests(self, { prefix: './v1' });
    handleTempoRequests(self, { prefix: 'https://api.openai.com/v1' });
    self.addEventListener('install', () => self.skipWaiting());
    self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
  `,
  'register.js': `
    navigator.serviceWorker.register('./sw.js', { type: 'module' });
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true });
      });
    }
  `,
  'offers.html': `<!doctype html><title>Offers</title><link rel="icon" href="data:," />
    <script type="module">
      import { createTempo } from './index.js';
      import { offerToServiceWorker } from './service-worker.js';
      await import('./register.js');
      globalThis.tempo = createTempo({ engine: 'simulated' });
      globalThis.stopOffering = offerToServiceWorker(tempo.app(document.title));
      await tempo.ready;
      document.body.append('ready');
    </script>`,
  'asks.html': `<!doctype html><title>Asks</title><link rel="icon" href="data:," />
    <script type="module">
      await import('./register.js');
      document.body.append('ready');
    </script>`,
  'asking-worker.js': `
    self.onmessage = async ({ data }) => {
      const response = await fetch('./v1/chat/completions', data);
      self.postMessage((await response.json()).choices[0].message.content);
    };
  `,
  'v1.txt': 'A file beside the prefix.',
};

let folder: string;
let served: ServedPage;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(120_000); // the library is built, maybe beside others
  folder = await libraryFolder();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  served = await servePage(folder, 4490);
});

test.afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

async function open(page: Page, file: string): Promise<void> {
  await page.goto(`${served.url}${file}`);
  await expect(page.getByText('ready')).toBeVisible();
}

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] };
const GREETING = { ...HELLO, simulate: { content: 'Good morning from another script.' } };
const post = (body: object) => ({ method: 'POST', body: JSON.stringify(body) });

/** Resolves once the page's Tempo has so many requests. */
const live = (page: Page, count: number) =>
  page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        const stop = globalThis.tempo.watch(({ requests }) => {
          if (requests.length !== wanted) return;
          resolve();
          queueMicrotask(() => stop());
        }, 20);
      }),
    count,
  );

test('the page’s own scripts are answered, of any address below the prefix', async ({ page }) => {
  await open(page, 'offers.html');
  const answers = await page.evaluate(async (init) => {
    const addresses = ['./v1/chat/completions', 'https://api.openai.com/v1/chat/completions'];
    return Promise.all(
      addresses.map(async (address) => {
        const response = await fetch(address, init);
        return { status: response.status, body: await response.json() };
      }),
    );
  }, post(GREETING));
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(body.choices[0].message.content).toBe(GREETING.simulate.content);
  }
  const error = await page.evaluate(
    async (init) => {
      const response = await fetch('./v1/chat/completions', init);
      return { status: response.status, ...(await response.json()).error };
    },
    post({ ...HELLO, temperature: 9 }),
  );
  expect(error).toMatchObject({ status: 400, param: 'temperature' });
  const models = await page.evaluate(async () => (await fetch('./v1/models')).json());
  expect(models.data[0].id).toBe('laptop-gpu');
});

test('a stream comes piece by piece', async ({ page }) => {
  await open(page, 'offers.html');
  const pieces = await page.evaluate(
    async (init) => {
      const { body } = await fetch('./v1/chat/completions', init);
      const texts: string[] = [];
      for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) texts.push(text);
      return texts;
    },
    post({ ...GREETING, stream: true }),
  );
  expect(pieces.length).toBeGreaterThan(5);
  expect(pieces.at(-1)).toBe('data: [DONE]\n\n');
});

test('so are a worker’s scripts and another page’s', async ({ page, context }) => {
  await open(page, 'offers.html');
  const inWorker = await page.evaluate(
    (init) =>
      new Promise((resolve) => {
        const worker = new Worker('./asking-worker.js');
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(init);
      }),
    post(GREETING),
  );
  expect(inWorker).toBe(GREETING.simulate.content);
  const other = await context.newPage();
  await open(other, 'asks.html');
  const there = await other.evaluate(
    async (init) => (await fetch('./v1/chat/completions', init)).json(),
    post(GREETING),
  );
  expect(there.choices[0].message.content).toBe(GREETING.simulate.content);
});

test('a page that offers a Tempo itself gets that one', async ({ page, context }) => {
  const other = await context.newPage();
  await open(other, 'offers.html');
  await open(page, 'offers.html');
  for (const asking of [page, other]) {
    const call = asking.evaluate(
      async (init) => {
        const response = await fetch('./v1/chat/completions', init);
        return (await response.json()).object;
      },
      post({ ...HELLO, max_tokens: 40, ignore_eos: true }),
    );
    await live(asking, 1);
    expect(await call).toBe('chat.completion');
  }
});

test('an abort, or a body that is let go, ends the request in the page', async ({ page }) => {
  await open(page, 'offers.html');
  const endless = { ...HELLO, ignore_eos: true };
  const aborted = page.evaluate(async (init) => {
    globalThis.controller = new AbortController();
    const { signal } = globalThis.controller;
    const call = fetch('./v1/chat/completions', { ...init, signal });
    return call.then((response) => response.json()).catch((error) => error.name);
  }, post(endless));
  await live(page, 1);
  await page.evaluate(() => globalThis.controller.abort());
  expect(await aborted).toBe('AbortError');
  await live(page, 0);

  await page.evaluate(
    async (init) => {
      const { body } = await fetch('./v1/chat/completions', init);
      globalThis.reader = body?.getReader();
      await globalThis.reader?.read();
    },
    post({ ...endless, stream: true }),
  );
  await live(page, 1);
  await page.evaluate(() => globalThis.reader?.cancel());
  await live(page, 0);
});

test('a page that is closed breaks off its answers, and others go on', async ({
  page,
  context,
}) => {
  const offering = await context.newPage();
  await open(offering, 'offers.html');
  await open(page, 'asks.html');
  const broken = page.evaluate(
    async (init) => {
      const { body } = await fetch('./v1/chat/completions', init);
      let pieces = 0;
      try {
        for await (const _ of body ?? []) globalThis.pieces = ++pieces;
      } catch (error) {
        return `${error}`;
      }
      return 'it ended';
    },
    post({ ...HELLO, ignore_eos: true, stream: true }),
  );
  await page.waitForFunction(() => globalThis.pieces > 2);
  await offering.close();
  expect(await broken).toMatch(/Error/);
});

test('where no page offers one, the answer is 503 with a time to try again', async ({ page }) => {
  await open(page, 'asks.html');
  const answer = await page.evaluate(async () => {
    const response = await fetch('./v1/models');
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, retryAfter, ...(await response.json()).error };
  });
  expect(answer).toMatchObject({
    status: 503,
    retryAfter: '1',
    code: 'not_loaded',
    type: 'server_error',
    param: null,
  });
});

test('no more once the page has stopped offering; and all else is left alone', async ({ page }) => {
  await open(page, 'offers.html');
  const statuses = await page.evaluate(async () => {
    const before = (await fetch('./v1/models')).status;
    globalThis.stopOffering();
    const after = (await fetch('./v1/models')).status;
    return [before, after, await (await fetch('./v1.txt')).text()];
  });
  expect(statuses).toEqual([200, 503, FILES['v1.txt']]);
});

declare global {
  /** The pages' own. */
  var tempo: import('../src/client').Tempo;
  var stopOffering: () => void;
  var controller: AbortController;
  var reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  var pieces: number;
}

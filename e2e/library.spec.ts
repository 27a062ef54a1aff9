import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { type ServedSite, serveFolder } from '../scripts/static-server';
import { libraryFolder } from './library-folder';
import type {} from './worker-page/main';

const PAGE = `<!doctype html>
<title>Embedding Tempo</title>
<output></output>
<script type="module">
  import * as client from './index.js';
  globalThis.client = client;
  const tempo = client.createTempo({ engine: 'simulated' });
  const chat = tempo.app('chat', { slo: { class: 'latency', ttft: 800, tbt: 100 } });
  const stream = await chat.chat.completions.create({
    messages: [{ role: 'user', content: 'Hello' }],
    simulate: { content: 'Good morning from the library.' },
    stream: true,
  });
  for await (const chunk of stream) {
    document.querySelector('output').textContent += chunk.choices[0]?.delta.content ?? '';
  }
</script>
`;

let outDir: string;
let served: ServedSite;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(120_000); // the build, types and all
  outDir = await libraryFolder();
  writeFileSync(join(outDir, 'index.html'), PAGE);
  served = await serveFolder({ folder: outDir });
});

test.afterAll(async () => {
  await served.close();
  rmSync(outDir, { recursive: true });
});

test('the built library runs in a page without a bundler, worker and all', async ({ page }) => {
  await page.goto(served.url);
  await expect(page.getByRole('status')).toHaveText('Good morning from the library.');
});

test('its worker finds WebLLM’s file, whose errors keep their code', async ({ page }) => {
  await page.goto(served.url);
  await page.waitForFunction(() => globalThis.client !== undefined);
  const error = await page.evaluate(async () => {
    const tempo = globalThis.client.createTempo({ model: 'abacus-q4' });
    const thrown = await tempo.ready.catch((error: unknown) => error);
    await tempo.dispose();
    return thrown instanceof globalThis.client.TempoError ? thrown.toJSON() : String(thrown);
  });
  expect(error).toMatchObject({ code: 'unknown_model', param: 'model' });
});

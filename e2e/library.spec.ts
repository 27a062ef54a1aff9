import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { buildLibrary } from '../scripts/library';
import { servePage } from '../scripts/page';

const PAGE = `<!doctype html>
<title>Embedding Tempo</title>
<output></output>
<script type="module">
  import { createTempo } from './index.js';
  const tempo = createTempo({ engine: 'simulated' });
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

test('the built library runs in a page without a bundler, worker and all', async ({ page }) => {
  test.setTimeout(120_000); // with the build, types and all
  const outDir = mkdtempSync(join(tmpdir(), 'tempo-library-'));
  await buildLibrary(outDir);
  writeFileSync(join(outDir, 'index.html'), PAGE);
  const served = await servePage(outDir, 4390);
  try {
    await page.goto(served.url);
    await expect(page.getByRole('status')).toHaveText('Good morning from the library.');
  } finally {
    await served.close();
    rmSync(outDir, { recursive: true });
  }
});

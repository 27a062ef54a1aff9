/** The AI SDK in a page: `test/apps/ai-sdk`, with the packed package and the real `ai`. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from '@playwright/test';
import type { Result } from '../test/apps/ai-sdk/report';
import { BROWSER_ARGS, findOrInstallBrowser } from './browser';
import { pack } from './pack';
import { servePage } from './page';
import { run as runCommand } from './run';

export interface Bench {
  /** The packed package. */
  tarball: string;
  /** An empty folder for the app. */
  folder: string;
  browser: Browser;
}

/** Installs, type-checks, builds and runs the app. Throws what went wrong. */
export async function run({ tarball, folder, browser }: Bench): Promise<void> {
  cpSync(join(import.meta.dirname, '../test/apps/ai-sdk'), folder, { recursive: true });
  runCommand('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball], folder);
  runCommand('npm', ['run', 'check'], folder);
  runCommand('npm', ['run', 'build'], folder);
  const served = await servePage(join(folder, 'dist'), 20_000 + Math.floor(Math.random() * 20_000));
  const page = await browser.newPage();
  try {
    const trouble: string[] = [];
    page.on('pageerror', (error) => trouble.push(error.message));
    await page.goto(served.url);
    const results: Result[] = await page.evaluate('globalThis.results');
    for (const { name, ok, got, expected } of results) {
      if (ok) continue;
      trouble.push(
        `${name}\n  gives    ${JSON.stringify(got)}\n  expected ${JSON.stringify(expected)}`,
      );
    }
    if (trouble.length > 0) throw new Error(trouble.join('\n'));
    console.log(`${results.length} cases of the AI SDK`);
  } finally {
    await page.close();
    await served.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const scratch = mkdtempSync(join(tmpdir(), 'tempo-ai-sdk-'));
  const browser = await chromium.launch({
    executablePath: findOrInstallBrowser(),
    args: BROWSER_ARGS,
  });
  try {
    const folder = join(scratch, 'app');
    await run({ tarball: pack(scratch), folder, browser });
  } finally {
    await browser.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

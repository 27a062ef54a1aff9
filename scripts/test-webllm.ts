/**
 * Runs code for WebLLM (its documented examples, and the AI SDK's provider for it) in a browser, on the
 * packed package in WebLLM's place: the page of `test/apps/webllm`, whose examples are type-checked against
 * WebLLM itself, too. Arguments are words that a check's name must have.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from '@playwright/test';
import { BROWSER_ARGS, findOrInstallBrowser } from './browser';
import { pack } from './pack';
import { servePage } from './page';
import { run as runCommand } from './run';
import { closingLine, type Tally } from './tally';

const APP = join(import.meta.dirname, '../test/apps/webllm');

/** Longest that one check may take, ms. */
const LIMIT_MS = 60_000;

export interface Bench {
  /** The packed package. */
  tarball: string;
  /** An empty folder for the app. */
  folder: string;
  browser: Browser;
  /** Which checks, by their names. Default: all. */
  wanted?: (name: string) => boolean;
}

/** What the page offers; its own declaration is in `src/main.ts`. */
interface WebLLMChecks {
  names: string[];
  run(name: string): Promise<void>;
}

/** Installs and builds the app, runs its checks one after the other, and prints what each came to. */
export async function run({
  tarball,
  folder,
  browser,
  wanted = () => true,
}: Bench): Promise<Tally> {
  cpSync(APP, folder, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|dist)$/.test(path),
  });
  runCommand('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball], folder);
  runCommand('npm', ['run', '--silent', 'check'], folder);
  runCommand('npm', ['run', '--silent', 'build', '--', '--logLevel', 'warn'], folder);
  const served = await servePage(join(folder, 'dist'), 20_000 + Math.floor(Math.random() * 20_000));
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  try {
    await page.goto(served.url);
    await page.waitForFunction(() => 'webllmChecks' in globalThis);
    const checks = () => (globalThis as unknown as { webllmChecks: WebLLMChecks }).webllmChecks;
    const names = (await page.evaluate(`(${checks})().names`)) as string[];
    for (const name of names.filter(wanted)) {
      const start = performance.now();
      const running = page.evaluate(`(${checks})().run(${JSON.stringify(name)})`);
      const failure = (await within(LIMIT_MS, running)) ?? errors.shift();
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${failure === undefined ? '✓' : '✗'} ${name} (${seconds} s)`);
      if (failure !== undefined) console.log(`  ${failure}`);
      tally[failure === undefined ? 'passed' : 'failed']++;
    }
  } finally {
    await page.close();
    await served.close();
  }
  return tally;
}

/** Resolves to what a promise rejects with, in words, or to nothing. */
async function within(ms: number, promise: Promise<unknown>): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it took more than ${ms / 1000} s`), ms);
  });
  const failure = promise.then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof Error ? (thrown.stack ?? thrown.message) : `${thrown}`),
  );
  const outcome = await Promise.race([failure, late]);
  clearTimeout(timer);
  return outcome;
}

async function main(words: readonly string[]): Promise<Tally> {
  const scratch = mkdtempSync(join(tmpdir(), 'tempo-webllm-'));
  const browser = await chromium.launch({
    executablePath: findOrInstallBrowser(),
    args: BROWSER_ARGS,
  });
  try {
    return await run({
      tarball: pack(scratch),
      folder: join(scratch, 'app'),
      browser,
      wanted: (name) => words.every((word) => name.includes(word)),
    });
  } finally {
    await browser.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const tally = await main(process.argv.slice(2));
  console.log(closingLine(tally));
  process.exit(tally.failed === 0 ? 0 : 1);
}

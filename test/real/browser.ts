import { chromium } from '@playwright/test';
import { BROWSER_ARGS, findOrInstallBrowser, WEBGPU_ARGS } from '../../scripts/browser';
import { bundle } from './bundle';
import type { RealRun, RunOptions } from './entry';
import { readLibrary } from './library';
import { modelFiles } from './model-files';
import { startModelServer } from './model-server';

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>Tempo: a real run</title><link rel="icon" href="data:,">';

/**
 * Runs an entry on real WebLLM in a page of headless Chromium and returns what it returns. CHROME_FLAGS
 * replaces the flags that give it a WebGPU device without a GPU.
 */
export async function runInBrowser(options: RunOptions): Promise<unknown> {
  const { args = [], log = console.log } = options;
  const library = await readLibrary(options.library);
  const webllm = options.webllm ?? library.webllm;
  const documents = new Map([
    ['/', PAGE],
    ['/entry.js', await bundle(options.entry, webllm, { format: 'esm' })],
  ]);
  const server = await startModelServer(library, await modelFiles(library), documents);
  const browser = await chromium.launch({
    executablePath: findOrInstallBrowser(),
    args: [...BROWSER_ARGS, ...(process.env.CHROME_FLAGS?.split(' ') ?? WEBGPU_ARGS)],
  });
  try {
    const page = await browser.newPage();
    page.on('console', (message) => log(`[page] ${message.text()}`));
    page.on('crash', () => log('The page crashed.'));
    await page.exposeFunction('tempoLog', log);
    await page.goto(`${server.origin}/`);
    const { record } = server;
    const run = { record, metadata: library.metadata, webllm, host: 'browser' as const, args };
    return await page.evaluate(runEntry, run);
  } finally {
    await browser.close();
    server.close();
  }
}

/** Runs in the page; so it may refer to nothing outside itself. */
async function runEntry(run: Omit<RealRun, 'log'>): Promise<unknown> {
  const script = '/entry.js';
  const { default: entry } = await import(script);
  const log: unknown = Reflect.get(globalThis, 'tempoLog');
  return entry({ ...run, log });
}

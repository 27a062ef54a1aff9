import { chromium } from 'playwright';
import { bundle } from './bundle';
import type { RealRun, RunOptions } from './entry';
import { readLibrary } from './library';
import { modelFiles } from './model-files';
import { startModelServer } from './model-server';

/** WebGPU in headless Chromium on its software device, and no traffic of its own. */
const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

const PAGE = '<!doctype html><meta charset="utf-8"><title>Tempo: a real run</title>';

/**
 * Runs an entry on real WebLLM in a page of headless Chromium and returns what it returns. CHROME_PATH names
 * the browser if it is not /usr/bin/chromium, and CHROME_FLAGS replaces its flags (to use a real GPU, say).
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
    executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
    args: process.env.CHROME_FLAGS?.split(' ') ?? FLAGS,
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

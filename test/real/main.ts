/**
 * Runs an entry on the real WebLLM with a real model library and random weights:
 *
 *   TEMPO_MODEL_LIB=FILE npx tsx test/real/main.ts [--browser] [--entry FILE] [argument…]
 *
 * in Node with Dawn, or in headless Chromium. TEMPO_WEBLLM chooses WebLLM's version, else the library does.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runInBrowser } from './browser';
import type { WebllmVersion } from './library';
import { runInNode } from './node';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    browser: { type: 'boolean', default: false },
    entry: {
      type: 'string',
      default: fileURLToPath(new URL('./eight-requests.ts', import.meta.url)),
    },
  },
});

function chosenVersion(): WebllmVersion | undefined {
  const version = process.env.TEMPO_WEBLLM;
  if (version === undefined || version === '0.2.79' || version === '0.2.86') return version;
  throw new Error(`TEMPO_WEBLLM is ${version}, but only 0.2.79 and 0.2.86 are there.`);
}

async function main(): Promise<void> {
  const library = process.env.TEMPO_MODEL_LIB;
  if (!library) {
    console.log(
      'Skipped: set TEMPO_MODEL_LIB to the file of a WebLLM model library to run on one.',
    );
    return;
  }
  if (!existsSync(library)) throw new Error(`TEMPO_MODEL_LIB names no file: ${library}`);
  const options = {
    library,
    entry: resolve(values.entry),
    args: positionals,
    webllm: chosenVersion(),
  };
  const result = await (values.browser ? runInBrowser(options) : runInNode(options));
  if (result !== undefined) console.log(JSON.stringify(result, null, 2));
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}

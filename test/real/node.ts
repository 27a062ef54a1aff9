import { compileFunction } from 'node:vm';
import { bundle } from './bundle';
import { setUpDawn } from './dawn';
import type { RealEntry, RunOptions } from './entry';
import { readLibrary } from './library';
import { modelFiles } from './model-files';
import { startModelServer } from './model-server';

/** Runs an entry on real WebLLM in this process, with Dawn's WebGPU, and returns what it returns. */
export async function runInNode(options: RunOptions): Promise<unknown> {
  const { entry, args = [], log = console.log } = options;
  log(`Device: ${await setUpDawn()}.`);
  // A page lives on where a promise is left; WebLLM leaves copies from a device that it ends.
  process.on('unhandledRejection', (reason) => {
    if (!(reason instanceof DOMException && reason.name === 'AbortError')) throw reason;
    log('A copy from a device that was ended is left unhandled.');
  });
  const library = await readLibrary(options.library);
  const webllm = options.webllm ?? library.webllm;
  const server = await startModelServer(library, await modelFiles(library));
  try {
    const run = asPageScript(await bundle(entry, webllm, { format: 'script', global: 'entry' }), {
      url: `${server.origin}/`,
      filename: entry,
    });
    const { record } = server;
    return await run({ record, metadata: library.metadata, webllm, host: 'node', args, log });
  } finally {
    server.close();
  }
}

/**
 * Evaluates a bundle so that WebLLM's emscripten parts take themselves for a page's: they look at `window`,
 * `document` and `process`, which here are names local to the bundle. Node's own are left alone.
 */
function asPageScript(code: string, page: { url: string; filename: string }): RealEntry {
  const names = ['window', 'self', 'document', 'location', 'process'];
  const evaluate = compileFunction(`${code}\nreturn entry.default;`, names, {
    filename: `${page.filename}.bundle.js`,
  }) as (...values: unknown[]) => RealEntry;
  const document = { URL: page.url, baseURI: page.url, currentScript: null };
  return evaluate(globalThis, globalThis, document, new URL(page.url), undefined);
}

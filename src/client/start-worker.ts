import { type Connection, connectPort } from './connection';

/** A server in a Web Worker of its own, that of this package. */
export function startWorker(): Connection {
  const { worker, address } = start();
  return connectPort(worker, {
    own: true,
    explain: async (words) => (await import('./worker-trouble')).explainFailure(address, words),
  });
}

function start(): { worker: Worker | Promise<Worker>; address: string } {
  const apart = besideOptimized(import.meta.url);
  let address = '';
  const Native = globalThis.Worker;
  // Where the worker is only the bundler knows, which fills it in below; this is how to learn of it.
  globalThis.Worker = function Spy(url: string | URL, options?: WorkerOptions) {
    address = apart ?? new URL(url, location.href).href;
    return new Native(address, options);
  } as unknown as typeof Worker;
  try {
    const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), {
      type: 'module',
      name: 'tempo',
    });
    return { worker, address };
  } catch (thrown) {
    globalThis.Worker = Native;
    const worker = import('./worker-trouble').then((trouble) =>
      trouble.startOtherwise(address, thrown),
    );
    return { worker, address };
  } finally {
    globalThis.Worker = Native;
  }
}

/**
 * Vite's development server moves a package's code away from the worker beside it, unless told not to
 * (`optimizeDeps.exclude`). The worker itself stays where the package is.
 */
function besideOptimized(url: string): string | undefined {
  const [, modules] = /^(.*\/node_modules\/)\.vite\/[^/]+\//.exec(url) ?? [];
  return modules === undefined ? undefined : `${modules}tempo-llm/dist-lib/worker.js`;
}

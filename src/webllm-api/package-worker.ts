import { WebLLMError } from './errors';

/** Where the package's worker is, and what kind of script it is. */
export interface WorkerScript {
  address: string;
  type: WorkerType | undefined;
}

/** The package's worker, to be started elsewhere. Throws `unsupported` where there are no workers. */
export function packageWorker(): WorkerScript {
  const Native = globalThis.Worker;
  if (Native === undefined) {
    throw new WebLLMError(
      'WebWorkerUnavailableError',
      'unsupported',
      'There are no Web Workers here. In Node, pass a TempoServer as tempo.host.',
    );
  }
  let script: WorkerScript | undefined;
  // Where the worker is only the bundler knows, which fills it in below. It is asked, and nothing started.
  globalThis.Worker = function Spy(url: string | URL, options?: WorkerOptions) {
    script = { address: new URL(url, location.href).href, type: options?.type };
  } as unknown as typeof Worker;
  try {
    new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module', name: 'tempo' });
  } finally {
    globalThis.Worker = Native;
  }
  if (script === undefined) throw new Error('The address of the worker is unknown.');
  return { ...script, address: besideOptimized(script.address) };
}

/**
 * Vite's development server moves a package's code away from the worker beside it, unless told not to
 * (`optimizeDeps.exclude`). The worker itself stays where the package is.
 */
function besideOptimized(address: string): string {
  const [, modules, file] = /^(.*\/node_modules\/)\.vite\/[^/]+\/([^?]+)/.exec(address) ?? [];
  return modules === undefined ? address : `${modules}tempo-llm/dist-lib/${file}`;
}

/** Starts it from a page or from a worker. One of another origin is imported by a script of this one. */
export function startScript({ address, type }: WorkerScript): Worker {
  const options: WorkerOptions = { type, name: 'tempo' };
  try {
    return new Worker(address, options);
  } catch (thrown) {
    if (type !== 'module') throw thrown;
    const source = `import ${JSON.stringify(address)};`;
    const here = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    return new Worker(here, options);
  }
}

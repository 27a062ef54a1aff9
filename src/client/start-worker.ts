/** A worker, and where its script is. */
export interface Started<W = Worker> {
  worker: W;
  address: string;
}

/** Starts the package's worker. */
export function startWorker(): Started | Promise<Started> {
  const Native = globalThis.Worker;
  return startBy((address, settings) => new Native(trusted(address), settings));
}

/** Has `start` start the package's worker, which is at `address`, in its own way. */
export function startBy<W extends object>(
  start: (address: string, settings: WorkerOptions | undefined) => W,
): Started<W> | Promise<Started<W>> {
  let address = '';
  let settings: WorkerOptions | undefined;
  let worker: W | undefined;
  const Native = globalThis.Worker;
  const from = (url: string) => start(url, settings);
  try {
    // Where the worker is only the bundler knows, which fills it in below; this is how to learn of it.
    globalThis.Worker = function Spy(url: string | URL, options?: WorkerOptions) {
      address = new URL(url, location.href).href;
      settings = options;
      // What Vite's development server up to version 7 makes of it: nothing is there.
      if (/(?<!dist-lib)\/page-worker\.js\?/.test(address)) throw address;
      worker = from(address);
    } as unknown as typeof Worker;
    new Worker(new URL('../worker/worker.ts', import.meta.url), {
      type: 'module',
      name: 'tempo',
    });
    if (worker === undefined) throw address;
    return { worker, address };
  } catch (thrown) {
    return import('./worker-trouble').then((trouble) =>
      trouble.startOtherwise(address, from, thrown),
    );
  } finally {
    globalThis.Worker = Native;
  }
}

interface TrustedTypePolicy {
  createScriptURL(url: string): string;
}

let policy: TrustedTypePolicy | undefined;

/** As a script's address. A page's `trusted-types` has to allow the policy `tempo-llm`, where it has any. */
export function trusted(url: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: TrustedTypePolicy): TrustedTypePolicy };
  };
  policy ??= trustedTypes?.createPolicy('tempo-llm', { createScriptURL: (same) => same });
  return policy?.createScriptURL(url) ?? url;
}

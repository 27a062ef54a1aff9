import { startBy, trusted } from '../client/start-worker';

/** Where the package's worker is, and what kind of script it is. */
export interface WorkerScript {
  address: string;
  type: WorkerType | undefined;
}

/** The package's worker, to be started elsewhere. Throws `unsupported` where there are no workers. */
export async function packageWorker(): Promise<WorkerScript> {
  const { worker } = await startBy((address, settings) => ({ address, type: settings?.type }));
  return worker;
}

/** Starts it from a worker. One of another origin is imported by a script of this one. */
export function startScript({ address, type }: WorkerScript): Worker {
  const options: WorkerOptions = { type, name: 'tempo' };
  try {
    return new Worker(trusted(address), options);
  } catch (thrown) {
    if (type !== 'module') throw thrown;
    const source = `import ${JSON.stringify(address)};`;
    const here = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    return new Worker(trusted(here), options);
  }
}

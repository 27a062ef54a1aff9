import { proxy, type Remote, wrap } from 'comlink';
import { TempoError, type TempoHost } from '../worker/protocol';

/** A host, and how to learn of its end. */
export interface Connection {
  readonly host: TempoHost;
  /** Resolves if the worker dies. A host that is no worker never does. */
  readonly crashed: Promise<TempoError>;
  close(): void;
}

/** A server in a Web Worker of its own. */
export function connectWorker(): Connection {
  if (typeof Worker === 'undefined') {
    throw new TempoError(
      'unsupported',
      'There are no Web Workers here. Pass a server as `host` to createTempo.',
    );
  }
  const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), {
    type: 'module',
    name: 'tempo',
  });
  const crashed = new Promise<TempoError>((resolve) => {
    const crash = (why: string) => {
      worker.terminate();
      resolve(new TempoError('worker_crashed', `The worker crashed (${why}). Load again.`));
    };
    worker.addEventListener('error', (event) => {
      event.preventDefault(); // it is reported through every open request
      crash(event.message || 'its script did not load');
    });
    worker.addEventListener('messageerror', () => crash('a message could not be read'));
  });
  return {
    host: new WorkerHost(wrap<TempoHost>(worker), crashed),
    crashed,
    close: () => worker.terminate(),
  };
}

/** A server in the page, or in Node. */
export function connectDirectly(host: TempoHost): Connection {
  return { host, crashed: new Promise(() => {}), close: () => {} };
}

/** Calls through comlink, which by itself would wait for ever on a worker that is dead. */
class WorkerHost implements TempoHost {
  readonly #remote: Remote<TempoHost>;
  readonly #crash: Promise<never>;

  constructor(remote: Remote<TempoHost>, crashed: Promise<TempoError>) {
    this.#remote = remote;
    this.#crash = crashed.then((error) => {
      throw error;
    });
    this.#crash.catch(() => {});
  }

  load: TempoHost['load'] = (config) => this.#call(this.#remote.load(config));
  cancelLoad: TempoHost['cancelLoad'] = () => this.#call(this.#remote.cancelLoad());
  submit: TempoHost['submit'] = (submission) => this.#call(this.#remote.submit(submission));
  abort: TempoHost['abort'] = (id) => this.#call(this.#remote.abort(id));
  startProgram: TempoHost['startProgram'] = (start) => this.#call(this.#remote.startProgram(start));
  endProgram: TempoHost['endProgram'] = (id) => this.#call(this.#remote.endProgram(id));
  setPolicy: TempoHost['setPolicy'] = (policy) => this.#call(this.#remote.setPolicy(policy));
  setSlo: TempoHost['setSlo'] = (app, slo) => this.#call(this.#remote.setSlo(app, slo));
  listen: TempoHost['listen'] = (onEvents) => this.#call(this.#remote.listen(proxy(onEvents)));
  listenState: TempoHost['listenState'] = (onState) =>
    this.#call(this.#remote.listenState(proxy(onState)));
  watch: TempoHost['watch'] = (onSnapshot, intervalMs) =>
    this.#call(this.#remote.watch(proxy(onSnapshot), intervalMs));
  unwatch: TempoHost['unwatch'] = (handle) => this.#call(this.#remote.unwatch(handle));
  exportProfile: TempoHost['exportProfile'] = () => this.#call(this.#remote.exportProfile());
  importProfile: TempoHost['importProfile'] = (profile) =>
    this.#call(this.#remote.importProfile(profile));
  dispose: TempoHost['dispose'] = () => this.#call(this.#remote.dispose());

  async #call<T>(answer: T): Promise<Awaited<T>> {
    return await Promise.race([answer, this.#crash]);
  }
}

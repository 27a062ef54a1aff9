import { type Endpoint, proxy, wrap } from 'comlink';
import { GREETING, TempoError, type TempoHost } from '../worker/protocol';
import { crossing } from './crossing';
import { methods } from './lazy';
import type { TempoPort } from './types';

/** A host, and how to learn of its end. */
export interface Connection {
  readonly host: TempoHost;
  /** Resolves if the other end dies. A host in this very thread never does. */
  readonly crashed: Promise<TempoError>;
  close(): void;
}

/** A server in the page, or in Node. */
export function connectDirectly(host: TempoHost): Connection {
  return { host, crashed: new Promise(() => {}), close: () => {} };
}

/** A port, and where the script at its other end is, if that is known. */
interface Reached {
  worker: TempoPort;
  address?: string;
}

/**
 * A server at the other end of a port, which ends with its connection where it is its `own`. Where
 * `reach` throws nobody is there: that is a crash, too.
 */
export function connectPort(reach: () => Reached | Promise<Reached>, own: boolean): Connection {
  let close = () => {};
  let crash: (error: TempoError | Promise<TempoError>) => void = () => {};
  const crashed = new Promise<TempoError>((resolve) => {
    crash = (error) => {
      end();
      resolve(error);
    };
  }).catch((thrown) => TempoError.from(thrown, 'worker_unavailable'));
  let over = false;
  const end = () => {
    over = true;
    close();
  };
  let started = false;
  const failed = (words: string, address?: string) =>
    crash(
      started
        ? new TempoError('worker_crashed', `The worker crashed (${words}). Load again.`)
        : import('./worker-trouble').then(({ whyNotStarted }) => whyNotStarted(address, words)),
    );
  const open = ({ worker, address }: Reached): Promise<Endpoint> => {
    const endpoint = 'port' in worker ? worker.port : worker;
    if (own) close = () => ('terminate' in endpoint ? endpoint.terminate() : endpoint.close());
    worker.addEventListener('error', (event: Event | ErrorEvent) => {
      event.preventDefault(); // it is reported through every open request
      failed('message' in event ? event.message : '', address);
    });
    endpoint.addEventListener('messageerror', () => failed('a message could not be read', address));
    endpoint.addEventListener('close', () => failed('its port was closed', address));
    return new Promise((resolve) => {
      const greeted = () => {
        started = true;
        resolve(endpoint);
      };
      endpoint.addEventListener('message', greeted, { once: true });
      if ('start' in endpoint) endpoint.start();
      endpoint.postMessage(GREETING);
      if ('terminate' in endpoint) return; // it ends with this page
      import('./hold-lock').then(
        ({ holdLock }) => holdLock(endpoint),
        () => {},
      );
    });
  };
  const endpoint = new Promise<Reached>((resolve) => resolve(reach())).then(open);
  endpoint.catch((thrown) => crash(Promise.reject(thrown)));
  const host = remoteHost(endpoint, crashed);
  // Longer before its first word, which may be a long download away.
  const patience = () => (over ? 0 : started ? 10 : 60);
  import('./heartbeat').then(
    ({ heartbeat }) => heartbeat(host, patience, () => failed('no answer')),
    () => {},
  );
  return { host, crashed, close: end };
}

/**
 * The host at the other end of comlink, which by itself would wait for ever on a worker that is dead:
 * here every call that is under way then fails.
 */
function remoteHost(endpoint: Promise<Endpoint>, crashed: Promise<TempoError>): TempoHost {
  const remote = endpoint.then((port) =>
    wrap<Record<string, (...args: unknown[]) => Promise<unknown>>>(port),
  );
  const open = new Set<(error: TempoError) => void>();
  let crash: TempoError | undefined;
  crashed.then((error) => {
    crash = error;
    for (const fail of open) fail(error);
  });
  const call = (name: string, args: unknown[]) =>
    new Promise((resolve, reject) => {
      if (crash) return reject(crash);
      open.add(reject);
      const send = (data: unknown[]) => remote.then((host) => host[name](...data.map(passed)));
      send(args)
        .catch(async (thrown) => {
          if (thrown?.name !== 'DataCloneError') throw thrown;
          return send(await Promise.all(args.map(crossing)));
        })
        .then(resolve, reject)
        .finally(() => open.delete(reject));
    });
  return methods(call);
}

/** Functions stay here, and are called from there. */
function passed(argument: unknown): unknown {
  return typeof argument === 'function' ? proxy(argument) : argument;
}

/** What to do about a worker that does not start just so. Loaded when one does not. */
import { TempoError } from '../worker/protocol';
import type { Started } from './start-worker';

/** Starts the worker from another address. */
type From<W> = (address: string) => W;

/** Starts a worker that the page may not start directly; `thrown` is why not. Throws `worker_unavailable`. */
export async function startOtherwise<W>(
  address: string,
  from: From<W>,
  thrown: unknown,
): Promise<Started<W>> {
  if (typeof Worker === 'undefined') {
    throw new TempoError(
      'unsupported',
      'There are no Web Workers here. In Node, pass a TempoServer as `host`; on a server that renders pages, create the Tempo in the browser.',
    );
  }
  if (thrown === address) return startFromVite(address, from);
  try {
    if (new URL(address).origin === location.origin) throw thrown;
    return { worker: from(sameOriginScript(address)), address };
  } catch (again) {
    throw new TempoError(
      'worker_unavailable',
      `The worker at ${address} could not be started: ${sentence(again)} Allow it in the page's headers (Content-Security-Policy: worker-src, trusted-types tempo-llm), or pass a worker of your own as \`worker\`.`,
      { cause: again },
    );
  }
}

/**
 * Vite's development server up to version 7 keeps a package's code away from its worker. Where the
 * package itself is, it tells.
 */
async function startFromVite<W>(moved: string, from: From<W>): Promise<Started<W>> {
  const base = /^.*?\/(?=@fs\/|node_modules\/)/.exec(moved)?.[0] ?? '/';
  const question = `${base}@id/tempo-llm/worker?url`;
  try {
    const answer = await import(/* @vite-ignore */ /* webpackIgnore: true */ question);
    const address = new URL(answer.default, location.href).href;
    return { worker: from(address), address };
  } catch (thrown) {
    throw new TempoError(
      'worker_unavailable',
      `Vite has moved tempo-llm away from its worker. Add \`optimizeDeps: { exclude: ['tempo-llm'] }\` to vite.config.js.`,
      { cause: thrown },
    );
  }
}

/** Why a worker's script did not run, as far as a page can find out. `words` are the browser's, if any. */
export async function whyNotStarted(
  address: string | undefined,
  words: string,
): Promise<TempoError> {
  const name = address === undefined ? 'The worker given as `worker`' : `The worker at ${address}`;
  const cause = words !== '' ? sentence(words) : await likelyCause(address);
  return new TempoError('worker_unavailable', `${name} did not start: ${cause}`);
}

const sentence = (thrown: unknown) =>
  (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.?$/, '.');

/** A script of this origin that is nothing but the other. */
function sameOriginScript(address: string): string {
  const source = `import ${JSON.stringify(address)};`;
  return URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
}

async function likelyCause(address: string | undefined): Promise<string> {
  const refused = await refusal();
  if (refused !== undefined) {
    return `the page's Content-Security-Policy forbids ${refused}. Allow it in worker-src.`;
  }
  if (address === undefined) {
    return 'its script did not load. Check its address and type in the network panel of the browser.';
  }
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    const there = await fetch(address, { mode: 'no-cors' }).catch(() => undefined);
    return there === undefined
      ? 'it could not be fetched. Check the address and the connection.'
      : 'its server does not let other origins read it. Send `Access-Control-Allow-Origin` with every file of the package.';
  }
  void response.body?.cancel();
  if (response.status === 403 && address.includes('/@fs/')) {
    return "Vite's development server refuses files from outside the project. Add the folder of tempo-llm to `server.fs.allow` in vite.config.js.";
  }
  if (!response.ok) {
    return `the server answers ${response.status} there. Serve the package's dist-lib folder whole, or let the bundler handle workers.`;
  }
  const type = response.headers.get('content-type') ?? 'no content type';
  if (!/javascript|ecmascript/.test(type)) {
    return `what is there is no JavaScript (${type}). A server that answers every unknown path with its page does that: the file is missing.`;
  }
  if (globalThis.crossOriginIsolated && !response.headers.has('cross-origin-embedder-policy')) {
    return 'the page is cross-origin isolated, and the script is not. Send `Cross-Origin-Embedder-Policy: require-corp` with it, too.';
  }
  return "the browser did not run it. A file that it imports may be missing, or the page's Content-Security-Policy forbid it (worker-src, script-src); the browser's console has the details.";
}

/** The address of a worker that the page's Content-Security-Policy has refused, where the browser tells. */
async function refusal(): Promise<string | undefined> {
  if (typeof ReportingObserver === 'undefined') return undefined;
  const reports = await new Promise<ReportList>((resolve) => {
    const observer = new ReportingObserver((list) => resolve(list), {
      buffered: true,
      types: ['csp-violation'],
    });
    observer.observe();
    setTimeout(() => {
      resolve(observer.takeRecords());
      observer.disconnect();
    }, 100);
  });
  return reports
    .map(({ body }) => body as { effectiveDirective?: string; blockedURL?: string } | null)
    .findLast((body) => body?.effectiveDirective === 'worker-src')?.blockedURL;
}

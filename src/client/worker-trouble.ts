/** What to do about a worker that does not start just so. Loaded when one does not. */
import { TempoError } from '../worker/protocol';

/**
 * Starts a worker that the page may not start directly: its script is on another origin, or the page
 * takes trusted types alone. Throws `worker_unavailable`.
 */
export function startOtherwise(address: string, thrown: unknown): Worker {
  if (typeof Worker === 'undefined') {
    throw new TempoError(
      'unsupported',
      'There are no Web Workers here. In Node, pass a TempoServer as `host`; on a server that renders pages, create the Tempo in the browser.',
    );
  }
  try {
    const here = new URL(address).origin === location.origin;
    const url = trusted(here ? address : sameOriginScript(address));
    return new Worker(url, { type: 'module', name: 'tempo' });
  } catch (again) {
    const words = again instanceof Error ? again.message : String(again);
    throw new TempoError(
      'worker_unavailable',
      `The worker at ${address} could not be started: ${words.replace(/\.?$/, '.')} Allow it in the page's headers (Content-Security-Policy: worker-src, trusted-types tempo-llm), or pass a worker of your own as \`worker\`.`,
      { cause: thrown },
    );
  }
}

/** Why a worker's script did not run, as far as a page can find out. */
export async function explainFailure(address: string, words: string): Promise<TempoError> {
  const cause = (await refusal()) ?? (await likelyCause(address, words));
  return new TempoError('worker_unavailable', `The worker at ${address} did not start: ${cause}`);
}

/** A script of this origin that is nothing but the other. */
function sameOriginScript(address: string): string {
  const source = `import ${JSON.stringify(address)};`;
  return URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
}

interface TrustedTypePolicy {
  createScriptURL(url: string): string;
}

let policy: TrustedTypePolicy | undefined;

/** The page's `trusted-types` has to allow the policy `tempo-llm`, where it has any. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: TrustedTypePolicy): TrustedTypePolicy };
  };
  policy ??= trustedTypes?.createPolicy('tempo-llm', { createScriptURL: (same) => same });
  return policy?.createScriptURL(url) ?? url;
}

/** What the page's Content-Security-Policy has refused, where the browser tells it. */
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
  const refused = reports
    .map(({ body }) => body as { effectiveDirective?: string; blockedURL?: string } | null)
    .findLast((body) => /^(worker|script|child)-src/.test(body?.effectiveDirective ?? ''));
  if (refused === undefined) return undefined;
  return `the page's Content-Security-Policy forbids it (${refused?.effectiveDirective} refuses ${refused?.blockedURL}). Allow it in worker-src.`;
}

async function likelyCause(address: string, words: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    return 'it could not be fetched. Check the connection, and the headers (CORS) of the server that it is on.';
  }
  void response.body?.cancel();
  if (!response.ok) {
    return `the server answers ${response.status} there. Serve the package's dist-lib folder whole, or let the bundler handle workers.`;
  }
  const type = response.headers.get('content-type') ?? 'no content type';
  if (!/javascript|ecmascript/.test(type)) {
    return `what is there is no JavaScript (${type}). A server that answers every unknown path with its page does that: the file is missing.`;
  }
  return `${words}. A Content-Security-Policy (worker-src, script-src) or a Cross-Origin-Embedder-Policy can forbid it; the browser's console has the details.`;
}

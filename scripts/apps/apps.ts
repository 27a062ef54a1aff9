import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Browser } from '@playwright/test';
import type { Site } from '../static-server';
import { blocksOf } from './guide-blocks';
import type { Sandbox } from './sandbox';
import { ask, askOwnWorker, believe, shareOneServer, tryOut } from './visit';

export interface Bench {
  browser: Browser;
  /** The packed package. */
  tarball: string;
  /** A copy of an app, by its folder in the repository; it is closed when the run is over. */
  sandbox(app: string, workspace?: string): Sandbox;
}

/** Runs an app, and throws what went wrong. */
export type Run = (bench: Bench) => Promise<void>;

const REPOSITORY = join(import.meta.dirname, '../..');

const GUIDES = join(REPOSITORY, 'docs/guide');

const VITE_7 = { vite: '7.3.8' };

export const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** The strictest that Tempo runs under, with every file of the site. It is the one in docs/guide/headers.md. */
export const STRICT_CSP = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' https://huggingface.co https://*.hf.co https://raw.githubusercontent.com",
  "require-trusted-types-for 'script'",
  'trusted-types tempo-llm',
];

const csp = (directives: readonly string[]) => ({
  'content-security-policy': directives.join('; '),
});

/** What becomes of it where the package is on another origin, and the page has an import map. */
export const strictCspFrom = (origin: string, nonce: string): string[] =>
  STRICT_CSP.map((directive) => {
    if (directive.startsWith('script-src ')) return `${directive} 'nonce-${nonce}' ${origin}`;
    return directive.startsWith('worker-src ') ? `worker-src blob: ${origin}` : directive;
  });

/** Vite's development server has to be told of a linked package. */
const ALLOW_REPOSITORY = `export default { server: { fs: { allow: ['.', '${REPOSITORY}'] } } };`;

/** Each app of `test/apps` and `examples`, in every way that it is to run; those that take longest first. */
export const APPS: Record<string, Run> = {
  'next-webpack': built('next', { flags: ['--webpack'], start: true }),
  'next-turbopack': built('next', { flags: ['--turbopack'], start: true }),
  'next-dev': developed('next'),
  clients: built('clients', { check: believe }),
  'ai-sdk': built('ai-sdk', { check: believe }),
  webllm: built('webllm', { check: believe }),
  'example-ai-sdk-chat': built('examples/ai-sdk-chat', { check: tryOut }),
  'example-openai-client': built('examples/openai-client', { check: tryOut }),
  'example-react': built('examples/react', { check: tryOut }),
  'example-vanilla': built('examples/vanilla', { check: tryOut }),
  'example-webllm-drop-in': built('examples/webllm-drop-in', { check: tryOut }),
  'webpack-5': built('webpack', { output: '.' }),
  types: typeChecked,
  guides: guidesChecked,
  'vite-8': built('vite'),
  'vite-7': built('vite', { versions: VITE_7 }),
  'sub-path': built('vite', { base: '/apps/chat/', flags: ['--base', '/apps/chat/'] }),
  isolated: built('vite', { headers: ISOLATED }),
  'strict-csp': built('vite', { headers: csp(STRICT_CSP) }),
  linked: built('vite', { linked: true }),
  'vite-8-dev': developed('vite'),
  // There the package's worker is the one for workers of one's own.
  'vite-7-dev': developed('vite', { versions: VITE_7, check: askOwnWorker }),
  'vite-8-dev-workspace': developed('vite', { workspace: 'apps/web' }),
  'vite-7-dev-workspace': developed('vite', {
    workspace: 'apps/web',
    versions: VITE_7,
    check: askOwnWorker,
  }),
  'linked-dev': developed('vite', { linked: true, config: ALLOW_REPOSITORY }),
  'own-worker': built('own-worker', { check: askOwnWorker }),
  'own-worker-vite-7': built('own-worker', { versions: VITE_7, check: askOwnWorker }),
  'shared-worker': built('shared-worker', { check: shareOneServer }),
  plain: unbundled(),
  'other-origin': unbundled({ cdn: true }),
  'other-origin-strict-csp': unbundled({ cdn: true, strict: true }),
  node: inNode,
};

interface Install {
  /** Other versions of packages than the app's own. */
  versions?: Record<string, string>;
  /** The app is a workspace of a monorepo, and its packages are at the top. */
  workspace?: string;
  /** The package is a link to the repository. */
  linked?: boolean;
  /** The app's `vite.config.js`. */
  config?: string;
}

async function install(bench: Bench, app: string, options: Install = {}): Promise<Sandbox> {
  const { versions, workspace, linked, config } = options;
  const folder = app.startsWith('examples/') ? app : `test/apps/${app}`;
  const sandbox = bench.sandbox(folder, workspace);
  sandbox.edit('package.json', (text) => {
    const manifest = JSON.parse(text);
    return JSON.stringify({
      ...manifest,
      devDependencies: { ...manifest.devDependencies, ...versions },
    });
  });
  if (config !== undefined) sandbox.write('vite.config.js', config);
  await sandbox.npm('install', '--no-audit', '--no-fund', linked ? REPOSITORY : bench.tarball);
  return sandbox;
}

interface Built extends Pick<Site, 'base' | 'headers'> {
  /** Of the build. */
  flags?: string[];
  /** What is served. Default: `dist`. */
  output?: string;
  /** The framework serves it itself, by its `start`. */
  start?: boolean;
  /** What is to work there. Default: an answer streams, WebLLM is found, and the grammar worker. */
  check?: (browser: Browser, url: string) => Promise<void>;
}

function built(app: string, options: Install & Built = {}): Run {
  const { flags = [], output = 'dist', start = false, check = ask, base, headers } = options;
  return async (bench) => {
    const sandbox = await install(bench, app, options);
    await sandbox.npm('run', 'build', '--', ...flags);
    const url = start
      ? await sandbox.start('start')
      : await sandbox.serve(output, { base, headers });
    await check(bench.browser, url);
  };
}

function developed(app: string, options: Install & Pick<Built, 'check'> = {}): Run {
  const { check = ask } = options;
  return async (bench) => {
    const sandbox = await install(bench, app, options);
    await check(bench.browser, await sandbox.start('dev'));
  };
}

/** On a CDN the package is served for other origins, and by another than the page. */
function unbundled({ cdn = false, strict = false } = {}): Run {
  return async (bench) => {
    const sandbox = await install(bench, 'plain');
    let headers = {};
    if (cdn) {
      const open = { 'access-control-allow-origin': '*' };
      const address = await sandbox.serve('node_modules', { headers: open });
      sandbox.edit('index.html', (text) => text.replace('./node_modules/', address));
      if (strict) headers = csp(strictCspFrom(new URL(address).origin, 'chosen'));
    }
    const nonce = (text: string) => text.replaceAll('<script', '<script nonce="chosen"');
    if (strict) sandbox.edit('index.html', nonce);
    await ask(bench.browser, await sandbox.serve('.', { headers }));
  };
}

async function inNode(bench: Bench): Promise<void> {
  const sandbox = await install(bench, 'node');
  const pieces = await sandbox.npm('start', '--silent');
  if (pieces.length < 3) throw new Error(`no stream: ${JSON.stringify(pieces)}`);
}

async function typeChecked(bench: Bench): Promise<void> {
  const sandbox = await install(bench, 'types');
  for (const compiler of ['check-5', 'check-6', 'check-7']) {
    await sandbox.npm('run', compiler, '--', '--module', 'esnext', '--moduleResolution', 'bundler');
    await sandbox.npm('run', compiler, '--', '--module', 'node16');
    await sandbox.npm('run', compiler, '--', '--module', 'nodenext');
  }
}

/** The TypeScript of every guide, each block a file of its own; that on testing is a test of ours. */
async function guidesChecked(bench: Bench): Promise<void> {
  const sandbox = await install(bench, 'guides');
  for (const name of readdirSync(GUIDES).filter((guide) => guide !== 'testing.md')) {
    const blocks = blocksOf(readFileSync(join(GUIDES, name), 'utf8'));
    for (const [i, { language, file, text }] of blocks.entries()) {
      if (!/^tsx?$/.test(language)) continue;
      sandbox.write(basename(file ?? `${basename(name, '.md')}-${i}.${language}`), text);
    }
  }
  await sandbox.npm('run', 'check');
}

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, it } from 'vitest';

interface Rule {
  rooms: string[];
  packages: RegExp;
}

/** What each room may import besides itself: folders or modules under src, and packages. */
const ROOMS: Record<string, Rule> = {
  scheduler: { rooms: [], packages: /^tdigest$/ },
  engine: { rooms: ['scheduler'], packages: /^@mlc-ai\// },
  server: { rooms: ['scheduler', 'engine'], packages: /^$/ },
  worker: { rooms: ['server'], packages: /^comlink$/ },
  client: { rooms: ['worker/protocol', 'worker/plain'], packages: /^comlink$/ },
  'ai-sdk': { rooms: ['client', 'worker/protocol'], packages: /^@ai-sdk\/provider$/ },
  'prompt-api': { rooms: ['client'], packages: /^$/ },
  react: { rooms: ['client'], packages: /^react$/ },
  dashboard: { rooms: ['client'], packages: /^uplot(\/|$)/ },
  'webllm-api': { rooms: ['client'], packages: /^$/ },
  'service-worker': {
    rooms: ['client/http', 'client/random-id', 'client/types', 'worker/protocol'],
    packages: /^$/,
  },
  lab: { rooms: ['scheduler', 'engine/simulated'], packages: /^$/ },
  demo: {
    rooms: ['client', 'dashboard', 'lab'],
    packages: /^(react|react-dom|react-markdown|zustand|tdigest|minisearch|comlink)(\/|$)/,
  },
};

/** Files that may import something else than the rest of their room. */
const FILES: Record<string, Rule> = {
  // Gathers for the client the types of everything below the worker.
  'worker/protocol.ts': { rooms: ['server', 'scheduler', 'engine/step-engine'], packages: /^$/ },
  // WebLLM's list of models, which the build puts in as data.
  'webllm-api/prebuilt.ts': { rooms: [], packages: /^@mlc-ai\/web-llm$/ },
  // The types of `<tempo-dashboard>` in JSX, and nothing else.
  'react/elements.ts': { rooms: ['dashboard'], packages: /^react$/ },
};

/** What a test, and what helps tests, may import besides what its room may. */
const TEST_PACKAGES = /^(vitest|fast-check|ajv|node:.*)$/;

/** The scheduler is pure: a clock and a seed are passed in, and nothing outside is touched. */
const IMPURE = new Set([
  ...['Date', 'performance', 'crypto', 'Math.random'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
  ...['requestAnimationFrame', 'requestIdleCallback'],
  ...['window', 'self', 'globalThis', 'document', 'navigator', 'location', 'localStorage'],
  ...['fetch', 'postMessage', 'Worker', 'process'],
]);

interface Node {
  type: string;
  [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;

/** Every node below `node`, itself included. Names that are no references (`a.name`, `{ name: 1 }`) are left out. */
function* walk(node: Node): Generator<Node> {
  yield node;
  for (const [key, value] of Object.entries(node)) {
    if ((key === 'property' || key === 'key') && node.computed === false) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* walk(child);
    }
  }
}

function parse(file: string, source: string): Node[] {
  const { program, errors } = parseSync(file, source);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  return isNode(program) ? [...walk(program)] : [];
}

/** The modules that a file names: imports, re-exports, dynamic imports and import types. */
function importsOf(nodes: Node[]): string[] {
  return nodes
    .map(({ source }) => (isNode(source) ? source.value : undefined))
    .filter((value) => typeof value === 'string');
}

function impureNames(nodes: Node[]): string[] {
  const own = new Set(nodes.flatMap((node) => declaredNames(node)));
  return nodes
    .map((node) => (node.type === 'MemberExpression' ? dotted(node) : node.name))
    .filter((name) => typeof name === 'string')
    .filter((name) => IMPURE.has(name) && !own.has(name));
}

/** The names that a variable, function or import declares, when they are plain ones. */
function declaredNames(node: Node): unknown[] {
  const params = Array.isArray(node.params) ? node.params : [];
  return [node.id, node.local, ...params].filter(isNode).map(({ name }) => name);
}

function dotted({ object, property }: Node): string | undefined {
  return isNode(object) && isNode(property) ? `${object.name}.${property.name}` : undefined;
}

const roomOf = (file: string): string => file.split('/', 1)[0] ?? '';

/** Stand-ins, harnesses and data of tests: tests and the bench alone may import them. */
const isTestSupport = (file: string): boolean => file.includes('/testing/');

/** What is wrong with a file of `src`, as sentences. `file` is its path under src. */
function violations(file: string, source: string): string[] {
  const room = roomOf(file);
  const allowed = FILES[file] ?? ROOMS[room];
  if (allowed === undefined) return [`${file} is in no room`];
  const isTest = /\.test\.tsx?$/.test(file) || isTestSupport(file);
  const nodes = parse(file, source);

  const mayImport = (specifier: string): boolean => {
    if (!specifier.startsWith('.')) {
      return allowed.packages.test(specifier) || (isTest && TEST_PACKAGES.test(specifier));
    }
    const target = posix.join(posix.dirname(file), specifier).replace(/\.tsx?$/, '');
    if (isTestSupport(target) && !isTest) return false;
    return [room, ...allowed.rooms].some(
      (folder) => target === folder || target.startsWith(`${folder}/`),
    );
  };
  const imports = importsOf(nodes)
    .filter((specifier) => !mayImport(specifier))
    .map((specifier) => `${file} imports ${specifier}`);
  const impure = room === 'scheduler' && !isTest ? impureNames(nodes) : [];
  return [...imports, ...impure.map((name) => `${file} uses ${name}`)];
}

const SRC = join(import.meta.dirname, '../src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /\.tsx?$/.test(file));

describe('the rooms', () => {
  it('hold every file of src', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !(roomOf(file) in ROOMS))).toEqual([]);
  });

  it.each(Object.keys(ROOMS))('%s imports and uses only what it may', (room) => {
    const found = files
      .filter((file) => roomOf(file) === room)
      .flatMap((file) => violations(file, readFileSync(join(SRC, file), 'utf8')));
    expect(found).toEqual([]);
  });
});

describe('the check itself', () => {
  it('sees every kind of import that points upward', () => {
    const source = `
      import type { StepEngine } from '../engine/step-engine';
      import { readFileSync } from 'node:fs';
      export * from '../../server';
      export { slo } from './slo';
      type Client = import('../client').Client;
      const lab = () => import('../lab');
      import { TDigest } from 'tdigest';
    `;
    expect(violations('scheduler/bad.ts', source)).toEqual([
      'scheduler/bad.ts imports ../engine/step-engine',
      'scheduler/bad.ts imports node:fs',
      'scheduler/bad.ts imports ../../server',
      'scheduler/bad.ts imports ../client',
      'scheduler/bad.ts imports ../lab',
    ]);
  });

  it('opens part of a room where only that part is allowed', () => {
    const source = "import { a } from '../engine/simulated/profiles'; import '../engine/webllm';";
    expect(violations('lab/replay.ts', source)).toEqual(['lab/replay.ts imports ../engine/webllm']);
    expect(
      violations('client/tempo.ts', "import '../worker/protocol'; import '../worker';"),
    ).toEqual(['client/tempo.ts imports ../worker']);
    const types = "export type * from '../scheduler'; export type * from '../engine/step-engine';";
    expect(violations('worker/protocol.ts', types)).toEqual([]);
    expect(violations('worker/entry.ts', types)).toHaveLength(2);
  });

  it('keeps what helps tests out of everything else', () => {
    const source = "import { StandIn } from '../testing/stand-in'; import { expect } from 'vitest';";
    expect(violations('engine/webllm/load.ts', source)).toEqual([
      'engine/webllm/load.ts imports ../testing/stand-in',
      'engine/webllm/load.ts imports vitest',
    ]);
    expect(violations('engine/webllm/load.test.ts', source)).toEqual([]);
    expect(violations('engine/testing/contract.ts', source)).toEqual([]);
  });

  it('sees clocks, timers, chance and the page in the scheduler, and there alone', () => {
    const source = `
      const now = Date.now() + performance.now() + Math.random();
      setTimeout(() => document.title);
    `;
    expect(violations('scheduler/bad.ts', source)).toEqual(
      ['Date', 'performance', 'Math.random', 'setTimeout', 'document'].map(
        (name) => `scheduler/bad.ts uses ${name}`,
      ),
    );
    expect(violations('demo/fine.ts', source)).toEqual([]);
  });

  it('takes a property or a variable of such a name for what it is', () => {
    const source = `
      import type { Clock } from './clock';
      interface Options { performance: number; document?: string }
      export const f = (self: Clock, options: Options) => options.performance + self.now() + Math.max(1, 2);
      export const g = { performance: 1, document() {} };
    `;
    expect(violations('scheduler/fine.ts', source)).toEqual([]);
  });
});

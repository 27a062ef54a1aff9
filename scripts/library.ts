/** `npm run build:lib`: builds the package that other pages embed, code and types, into `dist-lib`. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import { type OutputOptions, type Plugin, rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

type Entries = Readonly<Record<string, string>>;

/**
 * The package's entries, those of package.json's `exports`: the built file's name, and the source. What
 * runs in the page and what runs in a worker share no chunk, so that each loads its own code alone.
 */
const PAGE: Entries = {
  index: 'src/client/index.ts',
  'ai-sdk': 'src/ai-sdk/index.ts',
  'prompt-api': 'src/prompt-api/index.ts',
  dashboard: 'src/dashboard/index.ts',
  react: 'src/react/index.ts',
  'webllm-api': 'src/webllm-api/index.ts',
};
/** By itself: bundlers would take the page's worker along with it, into a service worker. */
const SERVICE_WORKER: Entries = {
  'service-worker': 'src/service-worker/index.ts',
};
const WORKER: Entries = {
  server: 'src/worker/server.ts',
  worker: 'src/worker/worker.ts',
};

/**
 * The worker that `createTempo` starts: `worker` in one file, which knows its parts by their addresses
 * and by no import. Bundlers copy a file named so, where they would bundle WebLLM's 7 MB again; and Vite
 * 7, which cannot split a worker's code unless told how, has nothing to split.
 */
const PAGE_WORKER: Entries = {
  'page-worker': 'src/worker/worker.ts',
};

/** What a worker loads when it is wanted: each is one file, so that it can be copied. */
const PARTS: Entries = {
  simulated: 'src/engine/simulated/index.ts',
  images: 'src/server/images/index.ts',
  grammars: 'src/engine/sampling/remote/grammar-worker.ts',
};
const WEBLLM: Entries = {
  webllm: 'src/engine/webllm/index.ts',
};
const PART = `\\.{1,2}/(?:engine/)?(${Object.keys({ ...PARTS, ...WEBLLM }).join('|')})`;

const paths = (entries: Entries) =>
  Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, join(root, source)]));

/** What the host page brings along is not bundled; all else is, so that nothing is installed with it. */
const peers = Object.keys(manifest.peerDependencies ?? {});
const external = (id: string) => peers.some((peer) => id === peer || id.startsWith(`${peer}/`));

/** Replaces text of the source; a line stays a line, which is as exact as its map has to be. */
const replaced = (name: string, before: RegExp, after: string): Plugin => ({
  name,
  transform: {
    filter: { code: before },
    handler: (code) => ({ code: code.replace(before, after), map: null }),
  },
});

/**
 * Bundlers find a worker, and all that it imports, by `new Worker(new URL("…", import.meta.url))` with
 * the worker's file in it. In the source that is the file in `src`, in the package the one beside.
 */
const packedWorker = replaced('packed-worker', /\.\.\/worker\/worker\.ts/, './page-worker.js');

const partsAddressed = replaced(
  'parts-addressed',
  new RegExp(`import\\('${PART}'\\)`, 'g'),
  "import(/* @vite-ignore */ /* webpackIgnore: true */ new URL('./$1.js', import.meta.url).href)",
);

/** How the grammar worker is opened: a file of `src/engine/sampling/remote` in place of `open-worker`. */
const opening = (file: string): Plugin => ({
  name: 'grammar-worker',
  resolveId: {
    filter: { id: /^\.\/open-worker$/ },
    handler: () => join(root, 'src/engine/sampling/remote', file),
  },
});

/** From a chunk that `server` and `worker` share. */
const partsImported: Plugin = {
  name: 'parts-imported',
  resolveDynamicImport(source) {
    const [, part] = new RegExp(`^${PART}$`).exec(source) ?? [];
    return part === undefined ? null : { id: `../${part}.js`, external: true };
  },
};

/** In the page, WebLLM's list of models as data in place of WebLLM. */
const webLlmData: Plugin = {
  name: 'webllm-data',
  resolveId: {
    filter: { id: /^@mlc-ai\/web-llm$/ },
    handler: (id, importer) =>
      importer?.endsWith('/webllm-api/prebuilt.ts') ? { id: `\0data:${id}` } : null,
  },
  load: {
    filter: { id: /^\0data:@mlc-ai\/web-llm$/ },
    async handler() {
      const webllm = await import('@mlc-ai/web-llm');
      const { prebuiltAppConfig, modelVersion, modelLibURLPrefix, functionCallingModelIds } =
        webllm;
      const data = { prebuiltAppConfig, modelVersion, modelLibURLPrefix, functionCallingModelIds };
      return Object.entries(data)
        .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
        .join('\n');
    },
  },
};

/** WebLLM names modules of Node's that it asks for in Node alone. */
const withoutNode: Plugin = {
  name: 'without-node',
  resolveId: {
    filter: { id: /^(url|module|fs|path|ws|perf_hooks|crypto)$/ },
    handler: (id) => ({ id: `\0node:${id}`, moduleSideEffects: false }),
  },
  load: {
    filter: { id: /^\0node:/ },
    handler: () => 'export default {};',
  },
};

/** Types that name a package which has none: ours in its place. */
const ownTypes: Plugin = {
  name: 'own-types',
  resolveId: {
    filter: { id: /^json-schema$/ },
    handler: () => join(root, 'src/ai-sdk/json-schema.ts'),
  },
};

/** Styles as text, as Vite has them: `import text from './styles.css?inline'`. */
const inlineStyles: Plugin = {
  name: 'inline-styles',
  resolveId: {
    filter: { id: /\.css\?inline$/ },
    async handler(id, importer) {
      const file = await this.resolve(id.replace(/\?inline$/, ''), importer);
      return file && { id: `${file.id}?inline` };
    },
  },
  load: {
    filter: { id: /\.css\?inline$/ },
    async handler(id) {
      const file = id.replace(/\?inline$/, '');
      const { code } = await transform(readFileSync(file, 'utf8'), { loader: 'css', minify: true });
      return { code: `export default ${JSON.stringify(code.trim())};`, moduleType: 'js' };
    },
  },
};

/** Other people's code is shown as it is; their maps are as large as all else together. */
const withoutForeignMaps: Plugin = {
  name: 'without-foreign-maps',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk' || foreignPackage(file) === undefined) continue;
      file.code = file.code.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
      delete bundle[`${file.fileName}.map`];
    }
  },
};

/** The one package that all of a chunk comes from, if it is not ours. */
function foreignPackage({ moduleIds }: { moduleIds: readonly string[] }): string | undefined {
  const real = moduleIds.filter((id) => !id.startsWith('\0'));
  const packages = new Set(real.map((id) => packageOf(id)?.name));
  return packages.size === 1 ? [...packages][0] : undefined;
}

function chunkName(chunk: { name: string; moduleIds: string[] }): string {
  const name = foreignPackage(chunk)?.replace(/^.*\//, '') ?? chunk.name;
  return `chunks/${name}-[hash].js`;
}

interface Shared {
  name: string;
  test: RegExp;
}

/** One file rather than several for what every chunk shares: in the page the client, with all it imports. */
const CLIENT: Shared = { name: 'client', test: /\/src\/client\/index\.ts$/ };
const ERRORS: Shared = {
  name: 'shared',
  test: /\/src\/(scheduler|worker)\/.*(errors|names|protocol)\.ts$/,
};

const WHOLE: OutputOptions = { codeSplitting: false };
const sharing = (shared: Shared): OutputOptions => ({ codeSplitting: { groups: [shared] } });

/** Builds into `outDir`. */
export async function buildLibrary(outDir: string): Promise<void> {
  rmSync(outDir, { recursive: true, force: true });
  const modules = [
    ...(await buildScripts(
      outDir,
      PAGE,
      [inlineStyles, webLlmData, packedWorker],
      sharing(CLIENT),
    )),
    ...(await buildScripts(outDir, SERVICE_WORKER, [], sharing(ERRORS))),
    ...(await buildScripts(
      outDir,
      WORKER,
      [partsImported, opening('open-no-worker.ts')],
      sharing(ERRORS),
    )),
    ...(await buildScripts(
      outDir,
      PAGE_WORKER,
      [partsAddressed, opening('open-packed-worker.ts')],
      WHOLE,
    )),
    ...(await buildParts(outDir, PARTS, WHOLE)),
    // Other people's code is shown as it is: its map would be larger than all else.
    ...(await buildParts(outDir, WEBLLM, { ...WHOLE, sourcemap: false })),
  ];
  writeFileSync(join(outDir, 'THIRD-PARTY-LICENSES.txt'), licenses(modules));
  const types = await rolldown({
    input: paths({ ...PAGE, ...SERVICE_WORKER, ...WORKER }),
    external,
    checks: { pluginTimings: false },
    plugins: [ownTypes, dts({ emitDtsOnly: true, tsconfig: join(root, 'tsconfig.lib.json') })],
  });
  await types.write({
    dir: outDir,
    chunkFileNames: 'chunks/[name]-[hash].js',
    // For `Symbol.asyncDispose`, which the libraries of older targets lack.
    banner: '/// <reference lib="esnext.disposable" />',
  });
  await types.close();
}

/** Each by itself. */
async function buildParts(
  outDir: string,
  parts: Entries,
  options: OutputOptions,
): Promise<string[]> {
  const modules: string[] = [];
  for (const [name, source] of Object.entries(parts)) {
    modules.push(...(await buildScripts(outDir, { [name]: source }, [], options)));
  }
  return modules;
}

/** Returns the paths of all modules that went in. */
async function buildScripts(
  outDir: string,
  entries: Entries,
  plugins: Plugin[],
  options: OutputOptions,
): Promise<string[]> {
  const bundle = await rolldown({
    input: paths(entries),
    external,
    platform: 'browser',
    // An entry that another imports stays one file, rather than one that passes on a chunk.
    preserveEntrySignatures: 'allow-extension',
    plugins: [withoutNode, withoutForeignMaps, ...plugins],
    transform: { target: 'es2022' },
  });
  const { output } = await bundle.write({
    dir: outDir,
    format: 'es',
    minify: true,
    sourcemap: true,
    comments: { legal: false }, // they are in THIRD-PARTY-LICENSES.txt
    entryFileNames: '[name].js',
    chunkFileNames: chunkName,
    // Pages that render on a server take its components as the browser's.
    banner: ({ name }) => (name === 'react' ? "'use client';" : ''),
    ...options,
  });
  await bundle.close();
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}

interface Package {
  name: string;
  folder: string;
}

/** The package of `node_modules` that a module belongs to. */
function packageOf(id: string): Package | undefined {
  const [, folder, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id) ?? [];
  return folder === undefined || name === undefined ? undefined : { name, folder };
}

/** The names, versions and licenses of all that is bundled. */
function licenses(modules: readonly string[]): string {
  const packages = new Map(
    modules.flatMap((id) => packageOf(id) ?? []).map(({ name, folder }) => [name, folder]),
  );
  const texts = [...packages].sort().map(([name, folder]) => {
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license']
      .map((candidate) => join(folder, candidate))
      .find(existsSync);
    const text = file === undefined ? '' : `\n\n${readFileSync(file, 'utf8').trim()}`;
    return `${name} ${version} (${license})${text}`;
  });
  return `Bundled in this package:\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await buildLibrary(join(root, 'dist-lib'));
}

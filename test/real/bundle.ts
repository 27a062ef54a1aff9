import { dirname } from 'node:path';
import { build } from 'esbuild';
import type { WebllmVersion } from './library';

/** How a bundle hands out its entry: as an ES module, or as a script that leaves it in a variable. */
export type BundleFormat =
  | { readonly format: 'esm' }
  | { readonly format: 'script'; readonly global: string };

/**
 * Bundles a TypeScript entry point for a browser, with WebLLM in the version asked for, whichever version
 * the entry's own imports would get.
 *
 * @returns the bundle's source text.
 */
export async function bundle(
  entry: string,
  webllm: WebllmVersion,
  shape: BundleFormat,
): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'browser',
    target: 'es2022',
    sourcemap: 'inline',
    logLevel: 'error',
    absWorkingDir: dirname(entry),
    external: ['url', 'fs', 'path', 'module', 'perf_hooks', 'ws'],
    alias: webllm === '0.2.79' ? { '@mlc-ai/web-llm': 'web-llm-0.2.79' } : {},
    ...(shape.format === 'esm'
      ? { format: 'esm' as const }
      : { format: 'iife' as const, globalName: shape.global }),
  });
  const output = result.outputFiles?.[0];
  if (output === undefined) throw new Error(`Bundling ${entry} gave nothing.`);
  return output.text;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type InlineConfig, mergeConfig } from 'vite';
import { type ServedPage, servePage } from '../scripts/page';

export interface BuiltPage extends ServedPage {
  /** Where its files are, until it is closed. */
  readonly outDir: string;
}

/**
 * Builds and serves a page of this folder, bundled as a library's user would: client, worker and all.
 * `own` are settings of Vite's that are other than most pages'.
 */
export async function builtPage(
  name: string,
  port: number,
  own: InlineConfig = {},
): Promise<BuiltPage> {
  const outDir = mkdtempSync(join(tmpdir(), `tempo-${name}-`));
  const usual: InlineConfig = {
    root: join(import.meta.dirname, name),
    configFile: false,
    base: './',
    worker: { format: 'es' },
    build: { outDir, target: 'esnext', chunkSizeWarningLimit: 8192 },
    logLevel: 'warn',
  };
  await build(mergeConfig(usual, own));
  const { url, close } = await servePage(outDir, port);
  return {
    url,
    outDir,
    async close() {
      await close();
      rmSync(outDir, { recursive: true });
    },
  };
}

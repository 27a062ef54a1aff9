import { build, preview } from 'vite';

/** Builds the page into `outDir`. */
export async function buildPage(outDir: string): Promise<void> {
  await build({ build: { outDir, emptyOutDir: true }, logLevel: 'warn' });
}

export interface ServedPage {
  url: string;
  close(): Promise<void>;
}

/** Serves a built page at `port`, or at the next free port above it. */
export async function servePage(outDir: string, port: number): Promise<ServedPage> {
  const server = await preview({ build: { outDir }, preview: { port }, logLevel: 'warn' });
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error('the server gave no address');
  return { url, close: () => server.close() };
}

/**
 * Opens the grammar worker, as bundlers know it. In the package its place is taken by `open-packed-worker`,
 * and by `open-no-worker` in what goes into workers of others' own: see scripts/library.ts.
 */
export function openWorker(): Worker | undefined {
  return new Worker(new URL('./grammar-worker.ts', import.meta.url), {
    type: 'module',
    name: 'tempo-grammars',
  });
}

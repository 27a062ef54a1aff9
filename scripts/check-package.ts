/** Part of `npm run check`: what `npm publish` would publish, its entries, types and sizes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from './pack';
import { run } from './run';

const folder = mkdtempSync(join(tmpdir(), 'tempo-package-'));
try {
  const tarball = pack(folder);
  run('npx', ['publint', '--strict', tarball]);
  // Modules of Node's older kind take it by `import()`, as they do every package of modules.
  run('npx', ['attw', tarball, '--profile', 'esm-only', '--format', 'ascii']);
  run('npx', ['size-limit']);
} finally {
  rmSync(folder, { recursive: true });
}

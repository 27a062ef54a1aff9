import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run';

/** Builds the library and packs it into `folder`, as `npm publish` would; returns the tarball's path. */
export function pack(folder: string): string {
  run('npm', ['pack', '--silent', '--pack-destination', folder]);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm packed nothing');
  return join(folder, tarball);
}

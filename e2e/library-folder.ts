import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLibrary } from '../scripts/library';

let built: Promise<string> | undefined;

async function build(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tempo-library-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await buildLibrary(folder);
  return folder;
}

/** A folder with the built package, for its caller to change and remove. It is built once in each process. */
export async function libraryFolder(): Promise<string> {
  built ??= build();
  const folder = mkdtempSync(join(tmpdir(), 'tempo-library-copy-'));
  cpSync(await built, folder, { recursive: true });
  return folder;
}
